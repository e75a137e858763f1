/** What can be told no more: entries that were pruned before their turn, and a log that counts anew. Noted, and gone on behind it. */
import type { AuditLog } from '../audit/log.js';
import type { Step, TellDeps } from './tell.js';

/** Undefined: nothing is lost. */
export function lostBefore(
  { ledger, metrics, log }: Pick<TellDeps, 'ledger' | 'metrics' | 'log'>,
  webhook: string,
  after: number,
  { seq, checkpoint }: Awaited<ReturnType<AuditLog['head']>>,
): Step | undefined {
  const pruned = checkpoint?.seq ?? 0;
  const isAnew = after > seq;
  if (!isAnew && pruned <= after) return undefined;
  log.warn({ webhook, after, head: seq, pruned }, 'a webhook was not told all that the audit log had');
  metrics.notified(webhook, 'dead');
  const letter = { tries: 0, givenUpAt: ledger.clock.now() };
  if (isAnew) return { after: 0, dead: { ...letter, seq: after, because: 'The audit log was lost, and counts anew.' } };
  const because = 'They were pruned from the audit log.';
  return { after: pruned, dead: { ...letter, seq: after + 1, upTo: pruned, because } };
}
