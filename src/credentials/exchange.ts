/** RFC 8693 token exchange: identify the requester, admit, ask policy, reserve the credential in the ledger, and only then mint it. */
import type { Parked } from '../approvals/approval-request.js';
import { auditingRefusals, itself, nobody } from '../authorization/audit.js';
import { chargeOf } from '../authorization/inspect.js';
import { identifyRequester, proofsOf, type Proofs, type Requester } from '../authorization/requester.js';
import type { DenialCharge } from '../domain/charge.js';
import { defined } from '../domain/defined.js';
import { useOnce } from '../ledger/assertions.js';
import { retryOnConflict } from '../ledger/retry-on-conflict.js';
import { sharedTaskKey } from '../ledger/runs.js';
import { readTask } from '../ledger/tasks.js';
import { kindOf } from '../targets/kinds.js';
import { sharedBy, underTaskOf } from './find-task.js';
import type { Deps } from './deps.js';
import { reissue, release, type Issued } from './release.js';
import type { CredentialRequest, UnreadRequest } from './request.js';
import { reserveGrant } from './reserve-grant.js';

/**
 * Returns the credential, which may be handed out, or the approval that it waits for. Throws the refusal: it is audited if it is known who
 * asks, and what was reserved by then is ended.
 * @param unread with `identify` in the place of that of `deps`, where whoever asks wants to know whom it has identified
 */
export async function exchange(
  deps: Deps,
  proofs: Proofs,
  unread: UnreadRequest & Partial<Pick<Deps, 'identify'>>,
): Promise<Issued | Parked> {
  const { settings, keys, ledger, observer } = deps;
  const { identify = deps.identify } = unread;
  return exchangeFor(deps, await identifyRequester({ identify, settings, keys, ledger, observer }, proofs), unread);
}

/** Does the exchange for a requester that is identified already. */
export async function exchangeFor(
  deps: Deps,
  requester: Requester,
  { requestId, read }: UnreadRequest,
): Promise<Issued | Parked> {
  const { caller } = requester;
  const rated = ratedApart(deps, requester);
  // What cannot be read was asked for by a program, and says nothing about what its workload wants.
  const handedOn = requester.handed?.credential.id;
  const about = defined({ type: 'credential.refused' as const, requestId, charged: nobody, handedOn });
  const request = await auditingRefusals(deps, caller, about, async () => {
    await rated.assertWithinRate(caller.party);
    const wanted = read(requester);
    for (const { once } of proofsOf(requester)) if (once) await useOnce(deps.ledger, once);
    return { ...wanted, under: underTaskOf(requester, wanted.under), requestId };
  });
  const { target, access, under } = request;
  const charged = () => chargesFor(deps, requester, under);
  const asked = defined({ ...about, charged, target, access, ...auditedUnder(under) });
  return auditingRefusals(deps, caller, asked, async () => {
    if (request.again) await waitFor(deps, target);
    const shared = sharedBy(requester, request);
    const grant = await deps.inTurn(shared && sharedTaskKey(shared), () =>
      retryOnConflict(deps.ledger, () => reserveGrant(rated, requester, request)),
    );
    // Asking people was entered when they were asked.
    if ('waiting' in grant) return grant;
    const issued = await ('session' in grant ? reissue(deps, grant, requestId) : release(deps, grant, requestId));
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

async function waitFor({ targets, untilEnforceable }: Deps, resource: string): Promise<void> {
  const target = targets.get(resource);
  if (target && kindOf(target.minter).enforced) await untilEnforceable(resource);
}

const auditedUnder = (under: CredentialRequest['under']) =>
  'taskId' in under ? { task: under.taskId } : { purpose: under.purpose };
