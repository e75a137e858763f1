/** RFC 8693 token exchange: identify the requester, admit, ask policy, reserve the credential in the ledger, and only then mint it. */
import { auditingRefusals, itself, nobody } from '../authorization/audit.js';
import { decideAccess, denied } from '../authorization/decide.js';
import { chargeOf } from '../authorization/inspect.js';
import { permitOpening } from '../authorization/permit.js';
import { identifyRequester, proofsOf, type Proofs, type Requester } from '../authorization/requester.js';
import type { Target } from '../config/schema.js';
import { pairsOf } from '../domain/access.js';
import type { DenialCharge } from '../domain/charge.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { likenessOfUrl } from '../domain/near-names.js';
import { assertEnforceable } from '../enforcement/assert-enforceable.js';
import { draftReservation, reserve } from '../ledger/credentials.js';
import { besideOf, claimed } from '../ledger/found-task.js';
import { useOnce } from '../ledger/assertions.js';
import { retryOnConflict } from '../ledger/retry-on-conflict.js';
import { sharedTaskKey } from '../ledger/runs.js';
import { readTask } from '../ledger/tasks.js';
import type { Minter } from '../minters/minter.js';
import { kindOf } from '../targets/kinds.js';
import { admit } from './admit.js';
import { sharedBy, underTaskOf } from './find-task.js';
import type { Deps } from './deps.js';
import { makeRoom, narrow, requestedSeconds, secondsByProof } from './narrow.js';
import { type Grant, release, repeat, type Issued, type Repetition } from './release.js';
import type { CredentialRequest, UnreadRequest } from './request.js';

/** @param unread with `identify` in the place of that of `deps`, where whoever asks wants to know whom it has identified */
export async function exchange(
  deps: Deps,
  proofs: Proofs,
  unread: UnreadRequest & Partial<Pick<Deps, 'identify'>>,
): Promise<Issued> {
  const { settings, keys, ledger, observer } = deps;
  const { identify = deps.identify } = unread;
  return exchangeFor(deps, await identifyRequester({ identify, settings, keys, ledger, observer }, proofs), unread);
}

/** Does the exchange for a requester that is identified already. */
export async function exchangeFor(
  deps: Deps,
  requester: Requester,
  { requestId, read }: UnreadRequest,
): Promise<Issued> {
  const { caller } = requester;
  const rated = ratedApart(deps, requester);
  // What cannot be read was asked for by a program, and says nothing about what its workload wants.
  const handedOn = requester.handed?.credential.id;
  const asked = defined({ type: 'credential.refused' as const, requestId, charged: nobody, handedOn });
  const request = await auditingRefusals(deps, caller, asked, async () => {
    await rated.assertWithinRate(caller.party);
    const asked = read(requester);
    for (const { once } of proofsOf(requester)) if (once) await useOnce(deps.ledger, once);
    return { ...asked, under: underTaskOf(requester, asked.under) };
  });
  const { target, access, under } = request;
  const charged = () => chargesFor(deps, requester, under);
  const about = defined({ ...asked, charged, target, access, ...auditedUnder(under) });
  return auditingRefusals(deps, caller, about, async () => {
    if (request.again) await waitFor(deps, target);
    const shared = sharedBy(requester, request);
    const grant = await deps.inTurn(shared && sharedTaskKey(shared), () =>
      retryOnConflict(deps.ledger, () => reserveGrant(rated, requester, request)),
    );
    const issued = await ('given' in grant ? repeat(deps, grant, requestId) : release(deps, grant, requestId));
    deps.observer.granted(requester.from ? chargeOf(requester.from) : { kind: 'party', of: caller.party }, issued);
    for (const { party } of proofsOf(requester)) deps.parties.granted(party);
    return issued;
  });
}

/**
 * Returns the same deps with a rate of its own for a presented credential: a thief must not use up the rate of the workload. The
 * line break keeps the two apart, since no name has one.
 */
const ratedApart = (deps: Deps, { from }: Requester): Deps =>
  from
    ? {
        ...deps,
        assertWithinRate: ({ id, ...party }, points) =>
          deps.assertWithinRate({ ...party, id: `${id}\nby credential` }, points),
      }
    : deps;

/**
 * Returns for what detectors count a denial. Whoever presents a credential may have stolen it: also one that is said to be handed on.
 * A person who is served decides what is asked for, and policy whether they may have it. Whoever opened a task, or a parent of it,
 * decided what is denied under it: only under a root task of its own making, for itself, does a workload answer for itself too.
 */
async function chargesFor(
  { ledger }: Pick<Deps, 'ledger'>,
  { caller, onBehalfOf, from, handed }: Requester,
  under: CredentialRequest['under'],
): Promise<readonly DenialCharge[]> {
  const shown = handed ?? from;
  if (shown) return [chargeOf(shown)];
  if (!('taskId' in under)) return onBehalfOf ? [] : itself(caller)();
  const task = (await readTask(ledger, under.taskId).catch(() => undefined))?.value;
  // Whoever names a task of somebody else adds nothing to what is counted for it.
  if (task?.workload.id !== caller.party.id) return [];
  if (onBehalfOf && task.principal?.id !== onBehalfOf.party.id) return [];
  const itsTask = { kind: 'task', id: task.id, of: task.workload } as const;
  const decidedByOthers = task.openedBy ?? task.principal ?? task.lineage[0];
  return decidedByOthers ? [itsTask] : [itsTask, ...itself(caller)()];
}

/** Makes one attempt. Returns undefined if the task changed in between; then everything is read and decided again. */
async function reserveGrant(
  deps: Deps,
  requester: Requester,
  request: CredentialRequest,
): Promise<Grant | Repetition | undefined> {
  deps.assertFitToMint();
  const target = knownTarget(deps, request.target);
  const minter = minterOf(deps, target);
  refuseOtherType(target, request.tokenType);
  refuseUnknownActions(deps.policy, request);

  const admission = await admit(deps, requester, request, target);
  if (!admission) return undefined;
  const { enforced } = kindOf(target.minter);
  if (enforced) await assertEnforceable(deps.ledger, target.resource, admission);
  const { stored } = admission;
  const { party } = requester.caller;
  // Without a task, policy must first permit the one that is opened together with the credential.
  const opening = stored ? undefined : await permitOpening(deps.policy, party, admission.task);
  const permitted = { ...admission, task: opening?.task ?? admission.task };
  const mostSeconds = Math.min(
    minter.lifetimeSecondsMax?.(target.resource) ?? Infinity,
    secondsByProof(deps.settings, proofsOf(requester), admission.now),
  );
  const decided = await decideAccess(deps, {
    party,
    task: permitted.task,
    target: target.resource,
    access: admission.access,
    risk: admission.risk,
    now: admission.now,
    lifetimeSeconds: requestedSeconds(deps.settings, mostSeconds, request),
  });
  const access = defined({ ...decided, openedFor: opening?.seconds });
  if (access.outcome !== 'permit') throw denied(access);

  const policies = [...new Set([...(opening?.decision.policies ?? []), ...access.policies])];
  const decision = { ...access, policies };
  const credential = narrow(permitted, decision, target);
  const { again } = request;
  const given = again && (await deps.given.inPlaceOf(credential, permitted.task));
  if (given) return { requester, given, task: permitted.task, decision };
  const task = await makeRoom(deps, permitted, credential);
  await minter.assertMintable?.(credential);
  const beside = besideOf(admission, task);
  const drafted = draftReservation(defined({ credential, task, stored, beside, durable: enforced }));
  await deps.assertWithinQuota(party, { bytes: drafted.bytes, task, opens: !stored });
  const reserved = (await claimed(deps.ledger, admission, task)) && (await reserve(deps.ledger, drafted));
  return reserved ? defined({ requester, reserved, task, opened: !stored, decision, minter, again }) : undefined;
}

async function waitFor({ targets, untilEnforceable }: Deps, resource: string): Promise<void> {
  const target = targets.get(resource);
  if (target && kindOf(target.minter).enforced) await untilEnforceable(resource);
}

const auditedUnder = (under: CredentialRequest['under']) =>
  'taskId' in under ? { task: under.taskId } : { purpose: under.purpose };

function knownTarget({ targets }: Pick<Deps, 'targets'>, resource: string): Target {
  const target = targets.get(resource);
  if (target) return target;
  // Only another spelling of what the caller has named, and is sure of: a guess would tell it the names of targets.
  const sent = likenessOfUrl(resource);
  const meant = [...targets.keys()].find((one) => likenessOfUrl(one) === sent);
  const advice = meant === undefined ? '' : `; ${meant} is one`;
  throw new BrokerError('invalid_target', `The resource is not a target of this broker${advice}.`);
}

function minterOf({ minters }: Pick<Deps, 'minters'>, target: Target): Minter {
  const minter = minters.get(target.minter);
  if (!minter) throw new Error('no minter for a configured target');
  return minter;
}

function refuseOtherType(target: Target, type: string | undefined): void {
  const { tokenTypes } = kindOf(target.minter);
  if (type === undefined || tokenTypes.includes(type)) return;
  throw new BrokerError('invalid_request', `The requested_token_type must be ${tokenTypes[0]}, or be left out.`);
}

function refuseUnknownActions(
  policy: Deps['policy'],
  { access = [], askedAsScope }: Pick<CredentialRequest, 'access' | 'askedAsScope'>,
): void {
  const unknown = pairsOf(access).find(({ action }) => !policy.isGrantable(action));
  if (!unknown) return;
  const code = askedAsScope ? 'invalid_scope' : 'invalid_authorization_details';
  throw new BrokerError(code, `The action "${unknown.action}" does not exist.`);
}
