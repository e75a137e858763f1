/**
 * The lease of a webhook: one broker at a time delivers to it. Two that deliver at the same time do no harm, since both
 * send the same event ids.
 */
import type { AuditLog } from '../audit/log.js';
import { released, standingOf } from '../ledger/lease.js';
import type { Ledger, Versioned } from '../ledger/ledger.js';
import { readWebhook, writeWebhook, type WebhookRecord } from '../ledger/webhooks.js';

export interface LeaseDeps {
  ledger: Ledger;
  audit: Pick<AuditLog, 'head'>;
  /** The id of this broker. */
  node: string;
}

/** When the holder dies, the next broker waits this long. */
export const LEASE_MS = 10_000;

/**
 * A turn begins with more than this left of the lease. A turn and the try that begins at its end take less, so the lease
 * outlasts them (test/unit/notify/lease.test.ts).
 */
export const RENEWED_BELOW_MS = 8_000;

const LEASE = { lengthMs: LEASE_MS, renewBelowMs: RENEWED_BELOW_MS };

/** Takes or renews the lease where possible. `mine`: this broker has it now. A new webhook gets the events from now on. */
export async function takeLease(
  { ledger, audit, node }: LeaseDeps,
  name: string,
): Promise<{ stored: Versioned<WebhookRecord> | undefined; mine: boolean }> {
  const stored = await readWebhook(ledger, name);
  const now = ledger.clock.unchecked();
  const lease = { holder: node, leasedUntil: now + LEASE_MS };
  if (!stored) {
    const first = await writeWebhook(ledger, name, undefined, { after: (await audit.head()).seq, ...lease });
    return { stored: first, mine: first !== undefined };
  }
  const standing = standingOf(stored.value, node, now, LEASE);
  if (standing === 'theirs') return { stored, mine: false };
  if (standing === 'mine') return { stored, mine: true };
  const renewed = await writeWebhook(ledger, name, stored, { ...stored.value, ...lease });
  return { stored: renewed, mine: renewed !== undefined };
}

/** Gives the lease up at the end of a process, so that the next broker need not wait. */
export async function releaseLease({ ledger, node }: LeaseDeps, name: string): Promise<void> {
  const stored = await readWebhook(ledger, name);
  const next = released(stored?.value, node);
  if (next) await writeWebhook(ledger, name, stored, next);
}
