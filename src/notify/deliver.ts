/**
 * One turn of one webhook: the entries of the audit log after its cursor are delivered in order, until one fails or the
 * time is up. The cursor moves after each entry. A crash in between delivers an entry twice, under the same id, and loses
 * none.
 */
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { beginningOf } from '../audit/chain.js';
import { parseEntry, type AuditEntry } from '../audit/event.js';
import type { AuditLog } from '../audit/log.js';
import { timeOf } from '../audit/page.js';
import type { Webhook } from '../config/signals-schema.js';
import type { Versioned } from '../ledger/ledger.js';
import { writeWebhook, type WebhookRecord } from '../ledger/webhooks.js';
import { deliverEntry, type DeliveryDeps, type Step } from './deliver-entry.js';
import { LEASE_MS, takeLease, type LeaseDeps } from './lease.js';

export type NotifyDeps = LeaseDeps & DeliveryDeps & { audit: Pick<AuditLog, 'exportLines'> };

/** A turn and its last try end before the lease does. The next turn delivers the rest. */
export const TURN_MS = 2_000;
const LINES_WITHOUT_PAUSE = 500;

/** Returns for how long, in milliseconds, the first entry that is not delivered has waited; 0 when all are delivered. */
export async function deliverTurn(deps: NotifyDeps, webhook: Webhook): Promise<number> {
  const { clock } = deps.ledger;
  const { stored: leased, mine } = await takeLease(deps, webhook.name);
  if (!leased || !mine) return ageOf(leased?.value.failing, clock.unchecked());
  const lost = stepOverLost(deps, webhook.name, leased.value.after, await deps.audit.head());
  let stored = lost ? await advance(deps, webhook.name, leased, lost) : leased;

  const select = entrySelector(webhook.types);
  const endOfTurn = clock.elapsed() + TURN_MS;
  let seen = stored?.value.after ?? 0;
  let ageMs = 0;
  for await (const line of deps.audit.exportLines({ after: seen })) {
    // Another broker has the lease now; or lines were pruned since the head was read, which the next turn records.
    const beginning = beginningOf(line);
    if (!stored || beginning?.seq !== seen + 1) return ageMs;
    const entry = select(beginning.type, line);
    if (entry) {
      const step = await deliverEntry(deps, webhook, stored.value, { entry, line });
      if (step === 'too soon') return ageOf(entry, clock.unchecked());
      stored = await advance(deps, webhook.name, stored, step);
      if (stored?.value.failing) return ageOf(entry, clock.unchecked());
    }
    seen += 1;
    if (clock.elapsed() > endOfTurn) {
      ageMs = clock.unchecked() - timeOf(line);
      break;
    }
    if (seen % LINES_WITHOUT_PAUSE === 0) await yieldToOthers();
  }
  if (stored && seen > stored.value.after) await advance(deps, webhook.name, stored, { after: seen });
  return ageMs;
}

/** Stores the next state of the delivery. Each step renews the lease. Returns undefined when another broker wrote first. */
function advance({ ledger, node }: NotifyDeps, name: string, stored: Versioned<WebhookRecord>, step: Step) {
  const leasedUntil = ledger.clock.unchecked() + LEASE_MS;
  return writeWebhook(ledger, name, stored, { holder: node, leasedUntil, ...step });
}

const ageOf = (entry: { at: number } | undefined, now: number): number => (entry ? Math.max(0, now - entry.at) : 0);

/**
 * Returns the step over entries that can no longer be delivered, with a dead letter for them: they were pruned, or the
 * audit log was lost and counts from 1 again. Undefined: nothing is lost.
 */
function stepOverLost(
  { ledger, metrics, log }: Pick<DeliveryDeps, 'ledger' | 'metrics' | 'log'>,
  webhook: string,
  after: number,
  { seq, checkpoint }: Awaited<ReturnType<AuditLog['head']>>,
): Step | undefined {
  const pruned = checkpoint?.seq ?? 0;
  const isNewLog = after > seq;
  if (!isNewLog && pruned <= after) return undefined;
  log.warn(
    { webhook, after, head: seq, pruned },
    'audit entries were lost before they could be delivered to a webhook',
  );
  metrics.notified(webhook, 'dead');
  const deadLetter = { tries: 0, givenUpAt: ledger.clock.unchecked() };
  if (isNewLog)
    return {
      after: 0,
      dead: { ...deadLetter, seq: after, because: 'The audit log was lost, and counts from 1 again.' },
    };
  const because = 'They were pruned from the audit log.';
  return { after: pruned, dead: { ...deadLetter, seq: after + 1, upTo: pruned, because } };
}

const ALARM: AuditEntry['type'] = 'approval.emergency';

/**
 * Returns a function from a line and its type to the entry, or to undefined when the webhook did not ask for it. Webhooks ask
 * for the first word of a type, for a whole type, or for the state of a signal. Most lines are of no interest to a webhook, and
 * are not parsed. An emergency goes to all of them: whoever agrees to something in the place of others must not do so unseen.
 */
function entrySelector(types: readonly string[]): (type: string, line: string) => AuditEntry | undefined {
  const filter = new Set(types);
  return (type, line) => {
    const [first = ''] = type.split('.', 1);
    if (filter.has(type) || filter.has(first) || type === ALARM) return parseEntry(line);
    if (first !== 'signal') return undefined;
    const entry = parseEntry(line);
    return filter.has(`signal.${entry.signal?.state ?? ''}`) ? entry : undefined;
  };
}
