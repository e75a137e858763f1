/** Refusals of proven callers are entries too. Bugs and floods are not: those are logged and counted. */
import type { AuditEvent } from '../audit/event.js';
import { BrokerError } from '../domain/errors.js';
import { isId } from '../domain/id.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { Deps } from './deps.js';
import { refusedEvent } from './audit-fields.js';

/** Best effort: an audit log that is down must not turn a refusal into anything else. */
export async function auditRefusal(
  { audit, ledger, observer }: Pick<Deps, 'audit' | 'ledger' | 'observer'>,
  error: unknown,
  caller: AuthenticatedCaller,
  about: Partial<AuditEvent> & { type: 'credential.refused' | 'operation.refused' },
): Promise<void> {
  if (!(error instanceof BrokerError) || error.code === 'slow_down' || error.code === 'temporarily_unavailable') return;
  const { type, task, target, ...fields } = about;
  observer.refused(caller.party, error, type === 'credential.refused' ? task : undefined);
  const known = {
    ...fields,
    ...(task !== undefined && isId('tsk', task) && { task }),
    ...(target !== undefined && mayBeTarget(target) && { target }),
  };
  await audit.append(refusedEvent(type, ledger.clock.now(), error, caller, known)).catch(() => undefined);
}

/**
 * What a refused caller names need not exist. In place of an id any text could be kept for years; it is left out. Targets are
 * URIs: a secret that was put there by mistake has no colon.
 */
const mayBeTarget = (text: string): boolean => text.length <= TARGET_CHARACTERS && text.includes(':');
const TARGET_CHARACTERS = 256;
