/** One broker at a time tells a webhook: a lease in its record. Two that tell it at once are a nuisance, not a mistake: ids are the same. */
import type { AuditLog } from '../audit/log.js';
import type { Versioned, Ledger } from '../ledger/ledger.js';
import { standingOf } from '../ledger/lease.js';
import { readWebhook, writeWebhook, type WebhookRecord } from '../ledger/webhooks.js';

export interface HoldDeps {
  ledger: Ledger;
  audit: Pick<AuditLog, 'head'>;
  /** Which broker this is. */
  node: string;
}

/** What is left of it is longer than a turn and a try may take; and whoever follows one that has died waits for it. */
export const LEASE_MS = 10_000;
const LEASE = { lengthMs: LEASE_MS, renewBelowMs: 8_000 };

/** `mine`: this broker holds it now. One that is new is told what happens from now on. */
export async function holdWebhook(
  { ledger, audit, node }: HoldDeps,
  name: string,
): Promise<{ stored: Versioned<WebhookRecord> | undefined; mine: boolean }> {
  const stored = await readWebhook(ledger, name);
  const now = ledger.clock.now();
  const held = { holder: node, heldUntil: now + LEASE_MS };
  if (!stored) {
    const first = await writeWebhook(ledger, name, undefined, { after: (await audit.head()).seq, ...held });
    return { stored: first, mine: first !== undefined };
  }
  const standing = standingOf(stored.value, node, now, LEASE);
  if (standing === 'theirs') return { stored, mine: false };
  if (standing === 'mine') return { stored, mine: true };
  const renewed = await writeWebhook(ledger, name, stored, { ...stored.value, ...held });
  return { stored: renewed, mine: renewed !== undefined };
}

/** At the end of a process: the next one need not wait. */
export async function letGoWebhook({ ledger, node }: HoldDeps, name: string): Promise<void> {
  const stored = await readWebhook(ledger, name);
  if (stored?.value.holder === node) await writeWebhook(ledger, name, stored, { ...stored.value, heldUntil: 0 });
}
