/**
 * One turn of one webhook: what the audit log has after its cursor is posted, in order, until one fails or time is up. The
 * cursor moves after each: a crash in between tells one twice, under the same id, and loses none.
 */
import { setImmediate as breathe } from 'node:timers/promises';
import { seqOf } from '../audit/event.js';
import type { AuditLog } from '../audit/log.js';
import { timeOf } from '../audit/page.js';
import type { Webhook } from '../config/signals-schema.js';
import type { Versioned } from '../ledger/ledger.js';
import { writeWebhook, type WebhookRecord } from '../ledger/webhooks.js';
import { holdWebhook, LEASE_MS, type HoldDeps } from './hold-webhook.js';
import { lostBefore } from './lost.js';
import { tell, type Step, type TellDeps } from './tell.js';
import { wantedBy } from './wanted.js';

export type NotifyDeps = HoldDeps & TellDeps & { audit: Pick<AuditLog, 'exportLines'> };

/** A turn and the last try in it fit into what a lease has left; the rest is for the next. */
const TURN_MS = 2_000;
const LINES_WITHOUT_PAUSE = 500;

/** Answers for how long, in milliseconds, the first it lacks has waited; 0: it lacks nothing. */
export async function deliverNews(deps: NotifyDeps, webhook: Webhook): Promise<number> {
  const { clock } = deps.ledger;
  const { stored: held, mine } = await holdWebhook(deps, webhook.name);
  if (!held || !mine) return waited(held?.value.failing, clock.now());
  const lost = lostBefore(deps, webhook.name, held.value.after, await deps.audit.head());
  let stored = lost ? await moved(deps, webhook.name, held, lost) : held;

  const isWanted = wantedBy(webhook.types);
  const endOfTurn = clock.elapsed() + TURN_MS;
  let seen = stored?.value.after ?? 0;
  let ageMs = 0;
  for await (const line of deps.audit.exportLines({ after: seen })) {
    // Another broker has it now; or lines were pruned since the head was read, which the next turn will note.
    if (!stored || seqOf(line) !== seen + 1) return ageMs;
    const entry = isWanted(line);
    if (entry) {
      const step = await tell(deps, webhook, stored.value, { entry, line });
      if (step === 'too soon') return waited(entry, clock.now());
      stored = await moved(deps, webhook.name, stored, step);
      if (stored?.value.failing) return waited(entry, clock.now());
    }
    seen += 1;
    if (clock.elapsed() > endOfTurn) {
      ageMs = clock.now() - timeOf(line);
      break;
    }
    if (seen % LINES_WITHOUT_PAUSE === 0) await breathe();
  }
  if (stored && seen > stored.value.after) await moved(deps, webhook.name, stored, { after: seen });
  return ageMs;
}

/** Each step renews the lease. */
function moved({ ledger, node }: NotifyDeps, name: string, stored: Versioned<WebhookRecord>, step: Step) {
  const heldUntil = ledger.clock.now() + LEASE_MS;
  return writeWebhook(ledger, name, stored, { holder: node, heldUntil, ...step });
}

const waited = (entry: { at: number } | undefined, now: number): number => (entry ? Math.max(0, now - entry.at) : 0);
