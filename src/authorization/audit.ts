/**
 * What use cases enter into the audit log about a caller and a task, and the one rule about refusals: those of authenticated
 * callers are audited. Bugs, floods and outages are not: they are logged and counted. Revocations are not entered from here:
 * the audit log reads them from the revocation log.
 */
import type { AuditEvent } from '../audit/event.js';
import type { DenialCharge, PartyCharge } from '../domain/charge.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { isId } from '../domain/id.js';
import type { Task } from '../domain/task.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { assertLiveCaller } from './caller.js';
import type { Deps } from './deps.js';

type RefusalDeps = Pick<Deps, 'audit' | 'ledger' | 'observer' | 'settings'>;

/** What the audit entry says about the request, beside the caller and the reason. */
type About = Partial<AuditEvent> & {
  type: 'credential.refused' | 'operation.refused';
  /** Returns for whom or what detectors count a denial: `nobody`, where another than the caller may have provoked it. */
  charged: () => readonly DenialCharge[] | Promise<readonly DenialCharge[]>;
};

/** Returns no charge: the refusal says nothing about the caller. */
export const nobody = () => [];

/** A refusal of what the caller asked for itself, by a proof of its own. */
export const itself =
  ({ party }: AuthenticatedCaller) =>
  (): [PartyCharge] => [{ kind: 'party', of: party }];

/** Returns what the work returns. If the work throws a refusal, the refusal is audited and then thrown again. */
export async function auditingRefusals<T>(
  deps: RefusalDeps,
  caller: AuthenticatedCaller,
  about: About,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const error = await lockoutBefore(deps, caller, thrown);
    if (error instanceof BrokerError && !NOT_AUDITED.has(error.code)) await audit(deps, caller, about, error);
    throw error;
  }
}

/**
 * Returns the refusal of a caller that is held or cut off, in place of one about what it sent: that may be found wanting before
 * anybody looks whether the caller is alive. Such a caller is told nothing else, and costs one line a minute whatever it sends.
 */
async function lockoutBefore(deps: RefusalDeps, caller: AuthenticatedCaller, thrown: unknown): Promise<unknown> {
  if (!(thrown instanceof BrokerError) || thrown.code === 'access_denied' || NOT_AUDITED.has(thrown.code))
    return thrown;
  try {
    await assertLiveCaller(deps, caller);
    return thrown;
  } catch (error) {
    return error instanceof BrokerError ? error : thrown;
  }
}

const NOT_AUDITED: ReadonlySet<BrokerError['code']> = new Set([
  'slow_down',
  'temporarily_unavailable',
  'authorization_pending',
]);

/** Writes the audit entry if the audit log takes it. If not, the caller is refused for the same reason. */
async function audit(
  { audit, ledger, observer }: RefusalDeps,
  caller: AuthenticatedCaller,
  { type, task, target, charged, ...fields }: About,
  error: BrokerError,
): Promise<void> {
  observer.refused(await charged(), error);
  const event = defined({
    type,
    at: ledger.clock.unchecked(),
    ...callerFields(caller),
    ...fields,
    ...(task !== undefined && isId('tsk', task) && { task }),
    ...(target !== undefined && mayBeTarget(target) && { target }),
    error: error.code,
    reason: error.message,
    retry: error.details.retry,
    decision: error.details.decision,
  });
  await appendIfTaken(audit, event);
}

/** For what is decided in any case, and releases nothing: an audit log that is away changes no such answer. */
export const appendIfTaken = (audit: Deps['audit'], event: AuditEvent): Promise<void> =>
  audit.append(event).catch(() => undefined);

/**
 * A refused caller can write any text in place of an id or a target, and the audit log would keep it for years. Targets are
 * URIs; a secret that was put there by mistake has no colon.
 */
const mayBeTarget = (text: string): boolean => text.length <= TARGET_CHARACTERS && text.includes(':');
const TARGET_CHARACTERS = 256;

export const callerFields = ({ party, proofHash, trace }: AuthenticatedCaller) =>
  defined({
    actor: defined({ id: party.id, kind: party.kind, issuer: party.issuer, subject: party.subject, run: party.run }),
    proofHash,
    address: trace?.address,
  });

/** Who publishes an entry of the revocation log, and in which request. The audit log reads both from there. */
export const publishedBy = ({ party, trace }: AuthenticatedCaller) => defined({ actor: party.id, trace });

export const taskFields = (task: Task) =>
  defined({
    task: task.id,
    workload: task.workload.id,
    principal: task.principal?.id,
    purpose: task.purpose,
  });
