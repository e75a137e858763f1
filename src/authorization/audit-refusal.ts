/** Refusals of authenticated callers are audited. Bugs, floods and outages are not: those are logged and counted. */
import type { AuditEvent } from '../audit/event.js';
import { BrokerError } from '../domain/errors.js';
import { isId } from '../domain/id.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { refusedEvent } from './audit-fields.js';
import type { Deps } from './deps.js';

/** What the audit entry says about the request, beside the caller and the reason. */
type About = Partial<AuditEvent> & { type: 'credential.refused' | 'operation.refused' };

/** Returns what the work returns. If the work throws a refusal, the refusal is audited and then thrown again. */
export async function auditingRefusals<T>(
  deps: Pick<Deps, 'audit' | 'ledger' | 'observer'>,
  caller: AuthenticatedCaller,
  about: About,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BrokerError && !NOT_AUDITED.has(error.code)) await audit(deps, caller, about, error);
    throw error;
  }
}

const NOT_AUDITED: ReadonlySet<BrokerError['code']> = new Set(['slow_down', 'temporarily_unavailable']);

/** Writes the audit entry if the audit log takes it. If not, the caller is refused for the same reason. */
async function audit(
  { audit, ledger, observer }: Pick<Deps, 'audit' | 'ledger' | 'observer'>,
  caller: AuthenticatedCaller,
  { type, task, target, ...fields }: About,
  error: BrokerError,
): Promise<void> {
  observer.refused(caller.party, error, type === 'credential.refused' ? task : undefined);
  const about = {
    ...fields,
    ...(task !== undefined && isId('tsk', task) && { task }),
    ...(target !== undefined && mayBeTarget(target) && { target }),
  };
  await audit.append(refusedEvent(type, ledger.clock.now(), error, caller, about)).catch(() => undefined);
}

/**
 * A refused caller can write any text in place of an id or a target, and the audit log would keep it for years. Targets are
 * URIs; a secret that was put there by mistake has no colon.
 */
const mayBeTarget = (text: string): boolean => text.length <= TARGET_CHARACTERS && text.includes(':');
const TARGET_CHARACTERS = 256;
