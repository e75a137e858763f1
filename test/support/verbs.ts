/** The use cases behind operator verbs, called as an endpoint calls them: policy is asked first, and a refusal is audited. */
import type { Deps } from '../../src/authorization/deps.js';
import { auditingRefusals, itself } from '../../src/authorization/audit.js';
import { permitOnRun, type NamedRun } from '../../src/authorization/permit-on-broker.js';
import { permitOnTask } from '../../src/authorization/permit-on-task.js';
import type { AuthenticatedCaller } from '../../src/identity/proof.js';
import * as receipts from '../../src/revocation/receipts.js';
import * as revocation from '../../src/revocation/revoke-by-selector.js';
import * as confirm from '../../src/signals/confirm.js';
import * as completeOf from '../../src/tasks/complete-run.js';
import * as complete from '../../src/tasks/complete-task.js';
import * as beat from '../../src/tasks/heartbeat.js';
import * as suspend from '../../src/tasks/suspend-task.js';

type Caller = AuthenticatedCaller;
interface Request {
  requestId: string;
}
type TaskRequest = Request & { taskId: string };

const audited = <T>(deps: Deps, caller: Caller, verb: string, { requestId }: Request, work: () => Promise<T>) =>
  auditingRefusals(deps, caller, { type: 'operation.refused', verb, requestId, charged: itself(caller) }, work);

export const completeTask = (
  deps: Deps,
  caller: Caller,
  { outcome, ...request }: TaskRequest & { outcome: Parameters<typeof complete.completeTask>[2]['outcome'] },
) =>
  audited(deps, caller, 'completeTask', request, async () =>
    complete.completeTask(deps.ledger, await permitOnTask(deps, caller, 'completeTask', request.taskId), { outcome }),
  );

export const completeRun = (deps: Deps, caller: Caller, { requestId, ...run }: Request & NamedRun) =>
  audited(deps, caller, 'completeRun', { requestId }, async () =>
    completeOf.completeRun(deps, await permitOnRun(deps, caller, run), { outcome: 'completed' }),
  );

export const suspendTask = (deps: Deps, caller: Caller, request: TaskRequest) =>
  audited(deps, caller, 'suspendTask', request, async () =>
    suspend.suspendTask(deps.ledger, await permitOnTask(deps, caller, 'suspendTask', request.taskId), {}),
  );

export const resumeTask = (deps: Deps, caller: Caller, request: TaskRequest) =>
  audited(deps, caller, 'resumeTask', request, async () =>
    suspend.resumeTask(deps.ledger, await permitOnTask(deps, caller, 'resumeTask', request.taskId)),
  );

export const heartbeat = (deps: Deps, caller: Caller, request: TaskRequest) =>
  audited(deps, caller, 'heartbeat', request, async () =>
    beat.heartbeat(deps.ledger, await permitOnTask(deps, caller, 'heartbeat', request.taskId)),
  );

type RevocationRequest = Request &
  Omit<Parameters<typeof revocation.permitBySelector>[2], 'dryRun'> &
  Parameters<typeof revocation.revokeBySelector>[2];

export const revokeBySelector = (deps: Deps, caller: Caller, request: RevocationRequest) =>
  audited(deps, caller, 'revoke', request, async () => {
    const order = await revocation.permitBySelector(deps, caller, { ...request, dryRun: false });
    if (revocation.isCancellation(order) || revocation.isDryRun(order))
      throw new Error('permission for something else');
    // Whether anything was seen of the selector is a test of its own.
    return revocation.revokeBySelector(deps, order, { unseen: true, ...request });
  });

export const previewRevocation = (deps: Deps, caller: Caller, request: RevocationRequest) =>
  audited(deps, caller, 'revoke', request, async () => {
    const order = await revocation.permitBySelector(deps, caller, { ...request, dryRun: true });
    if (revocation.isCancellation(order) || !revocation.isDryRun(order))
      throw new Error('permission for more than a dry run');
    return revocation.previewRevocation(deps, order, request);
  });

export const liftHold = (deps: Deps, caller: Caller, request: Request & { seq: number }) =>
  audited(deps, caller, 'revoke', request, async () =>
    receipts.liftHold(deps.ledger, await receipts.permitLift(deps, caller, request.seq), {}),
  );

export const decideSignal = (
  deps: Deps,
  caller: Caller,
  request: Request & { signalId: string; verdict: 'confirm' | 'dismiss' },
) =>
  audited(deps, caller, request.verdict, request, async () =>
    confirm.decideSignal(deps, await confirm.permitDecision(deps, caller, request.signalId), request),
  );
