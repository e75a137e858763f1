/** The use cases behind operator verbs, called as an endpoint calls them: policy is asked first. */
import type { Deps } from '../../src/authorization/deps.js';
import { permitOnTask, type TaskRequest } from '../../src/authorization/permit.js';
import type { AuthenticatedCaller } from '../../src/identity/proof.js';
import * as receipts from '../../src/revocation/receipts.js';
import * as revocation from '../../src/revocation/revoke-by-selector.js';
import * as confirm from '../../src/signals/confirm.js';
import * as complete from '../../src/tasks/complete-task.js';
import * as beat from '../../src/tasks/heartbeat.js';
import * as suspend from '../../src/tasks/suspend-task.js';

type Caller = AuthenticatedCaller;

export const completeTask = async (
  deps: Deps,
  caller: Caller,
  { outcome, ...request }: TaskRequest & { outcome: Parameters<typeof complete.completeTask>[2]['outcome'] },
) => complete.completeTask(deps.ledger, await permitOnTask(deps, caller, 'completeTask', request), { outcome });

export const suspendTask = async (deps: Deps, caller: Caller, request: TaskRequest) =>
  suspend.suspendTask(deps.ledger, await permitOnTask(deps, caller, 'suspendTask', request), {});

export const resumeTask = async (deps: Deps, caller: Caller, request: TaskRequest) =>
  suspend.resumeTask(deps.ledger, await permitOnTask(deps, caller, 'resumeTask', request));

export const heartbeat = async (deps: Deps, caller: Caller, request: TaskRequest) =>
  beat.heartbeat(deps.ledger, await permitOnTask(deps, caller, 'heartbeat', request));

type RevocationRequest = Omit<Parameters<typeof revocation.permitBySelector>[2], 'dryRun'> &
  Parameters<typeof revocation.revokeBySelector>[2];

export async function revokeBySelector(deps: Deps, caller: Caller, request: RevocationRequest) {
  const order = await revocation.permitBySelector(deps, caller, { ...request, dryRun: false });
  if (order.dryRun) throw new Error('permission for a dry run');
  return revocation.revokeBySelector(deps.ledger, order, request);
}

export async function previewRevocation(deps: Deps, caller: Caller, request: RevocationRequest) {
  const order = await revocation.permitBySelector(deps, caller, { ...request, dryRun: true });
  if (!order.dryRun) throw new Error('permission for more than a dry run');
  return revocation.previewRevocation(deps, order, request);
}

export const liftHold = async (deps: Deps, caller: Caller, request: { seq: number; requestId: string }) =>
  receipts.liftHold(deps.ledger, await receipts.permitLift(deps, caller, request), {});

export async function decideSignal(
  deps: Deps,
  caller: Caller,
  request: { signalId: string; verdict: 'confirm' | 'dismiss'; requestId: string },
) {
  return confirm.decideSignal(deps, await confirm.permitDecision(deps, caller, request), request);
}
