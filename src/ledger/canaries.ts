/**
 * Canaries: credentials that were never granted, laid out to be found. Any use of one is an alarm. The ledger has their
 * records by the hash of the token, and one list of all of them, until they expire; the token itself is stored nowhere.
 */
import { z } from 'zod';
import { moment } from '../domain/schemas.js';
import { record } from '../store/record.js';
import { canaryIndex, canaryKey } from './keys.js';
import type { Ledger } from './ledger.js';

const canarySchema = z.strictObject({
  /** SHA-256 of the token, base64url. */
  hash: z.string(),
  /** The place where it was laid out, or a ticket that says so. */
  label: z.string(),
  target: z.string(),
  mintedAt: moment,
  /** Until then its use is an alarm. */
  expiresAt: moment,
  /** The task or workload that the alarm is about, if whoever minted it named one. */
  task: z.string().optional(),
  workload: z.string().optional(),
});

export type Canary = z.infer<typeof canarySchema>;

/** Every broker has the hashes of all canaries in memory, so their number is bounded. */
const CANARIES_MOST = 10_000;

const canaries = record(canarySchema, canaryKey, {
  expiresAt: ({ expiresAt }) => expiresAt,
  indexes: ({ hash, expiresAt }) => ({ index: [[canaryIndex, hash, expiresAt]] }),
});

export async function putCanary(ledger: Ledger, canary: Canary): Promise<void> {
  const { records, clock } = ledger;
  if ((await records.count(canaryIndex, { from: clock.now() })) >= CANARIES_MOST)
    throw new Error(`There are ${CANARIES_MOST} canaries already.`);
  await canaries.write(ledger, canary.hash, undefined, canary);
}

export const readCanary = async (ledger: Ledger, hash: string): Promise<Canary | undefined> =>
  (await canaries.read(ledger, hash))?.value;

/** Returns the hashes of all canaries that have not expired. Expired ones are removed from the index. */
export async function listCanaries({ records, clock }: Ledger): Promise<string[]> {
  const now = clock.unchecked();
  const all = await records.range(canaryIndex, { limit: 2 * CANARIES_MOST });
  const expired = all.filter(([, expiresAt]) => expiresAt <= now);
  if (expired.length > 0 && clock.isTrusted())
    await records.commit({ unindex: expired.map(([hash]) => [canaryIndex, hash]) });
  return all.filter(([, expiresAt]) => expiresAt > now).map(([hash]) => hash);
}
