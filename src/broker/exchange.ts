/** RFC 8693 token exchange: who asks, may they, write it down, only then mint it. */
import { contend } from '../ledger/contend.js';
import { reserve } from '../ledger/credentials.js';
import { remember } from '../ledger/idempotency.js';
import { admit } from './admit.js';
import { identifyAsker, type Asker } from './asker.js';
import { auditRefusal } from './audit-refusal.js';
import { decideAccess, denied } from './decide.js';
import type { Deps } from './deps.js';
import { knownTarget, makeRoom, narrow, refuseUnknownActions, wantedSeconds } from './narrow.js';
import type { Grant } from './grant.js';
import { permitOpening } from './permit-opening.js';
import { release, type Issued } from './release.js';
import type { ExchangeRequest } from './requests.js';

export async function exchange(deps: Deps, request: ExchangeRequest): Promise<Issued> {
  const asker = await identifyAsker(deps, request);
  try {
    await deps.assertWithinRate(asker.caller.party.id);
    const grant = await contend(() => reserveGrant(deps, asker, request));
    return await release(deps, grant, request.requestId);
  } catch (error) {
    const { target, access, requestId, under } = request;
    await auditRefusal(deps, error, asker.caller, {
      type: 'credential.refused',
      target,
      access,
      requestId,
      ...auditedUnder(under),
    });
    throw error;
  }
}

/** One attempt. Undefined: somebody changed the task in between, so everything is read and decided anew. */
async function reserveGrant(deps: Deps, asker: Asker, request: ExchangeRequest): Promise<Grant | undefined> {
  deps.assertFitToMint();
  const target = knownTarget(deps, request.target);
  refuseUnknownActions(deps.policy, request);

  const admission = await admit(deps, asker, request);
  const { kept, again } = admission;
  const { party } = asker.caller;
  // A task that is born with its credential is opened first.
  const opening = kept
    ? { task: admission.task, policies: [] }
    : await permitOpening(deps.policy, party, admission.task);
  const permitted = { ...admission, task: opening.task };
  const access = await decideAccess(deps.policy, {
    party,
    task: permitted.task,
    target: target.resource,
    access: request.access,
    lifetimeSeconds: wantedSeconds(deps.settings, request),
  });
  if (access.outcome !== 'permit') throw denied(access);

  const decision = { ...access, policies: [...new Set([...opening.policies, ...access.policies])] };
  const task = await makeRoom(deps, permitted);
  const credential = narrow(request, permitted, decision, target);
  const beside = kept || !again ? undefined : remember(again, task.id, task.deadline);
  const reserved = await reserve(deps.ledger, { credential, task, ...(kept && { kept }), ...(beside && { beside }) });
  return reserved ? { asker, credential, task, opened: !kept, decision, target } : undefined;
}

const auditedUnder = (under: ExchangeRequest['under']) =>
  'taskId' in under ? { task: under.taskId } : { purpose: under.purpose };
