/** Canaries as the ledger keeps them: by the hash of the token, all in one list, until they expire. */
import { canarySchema, type Canary } from '../domain/canary.js';
import type { Ledger } from './ledger.js';
import { canaryIndex, canaryKey } from './keys.js';

/** Every broker holds the hashes of all of them in memory. */
const CANARIES_MOST = 10_000;

export async function putCanary({ records, clock }: Ledger, canary: Canary): Promise<void> {
  if ((await records.count(canaryIndex, { from: clock.now() })) >= CANARIES_MOST)
    throw new Error(`There are ${CANARIES_MOST} canaries already.`);
  const { hash, expiresAt } = canary;
  await records.commit({
    put: [[canaryKey(hash), JSON.stringify(canary), expiresAt]],
    index: [[canaryIndex, hash, expiresAt]],
  });
}

export async function readCanary({ records }: Ledger, hash: string): Promise<Canary | undefined> {
  const [text] = await records.read([canaryKey(hash)]);
  return text === undefined ? undefined : canarySchema.parse(JSON.parse(text));
}

/** The hashes of all that are looked for. Expired ones leave the list. */
export async function listCanaries({ records, clock }: Ledger): Promise<string[]> {
  const now = clock.now();
  const all = await records.range(canaryIndex, { limit: 2 * CANARIES_MOST });
  const over = all.filter(([, expiresAt]) => expiresAt <= now);
  if (over.length > 0) await records.commit({ unindex: over.map(([hash]) => [canaryIndex, hash]) });
  return all.filter(([, expiresAt]) => expiresAt > now).map(([hash]) => hash);
}
