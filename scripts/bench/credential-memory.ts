/** The Redis memory that a live credential takes with its task. */
import { mkdirSync } from 'node:fs';
import { startRedis } from './redis.js';
import { openSeeder } from './seed.js';

/** Bytes for each live credential with its task. */
export interface CredentialMemory {
  oneWorkload: number;
  /** Twenty credentials to a workload. */
  manyWorkloads: number;
  /** One workload, where Redis keeps indexes of up to `LISTPACK_ENTRIES` members as it keeps small ones. */
  compact: number;
}

/** `zset-max-listpack-entries`, as docs/operations.md advises it for memory. The default of Redis is 128. */
export const LISTPACK_ENTRIES = 512;

/** Of one issuer, so its indexes in 64 shards have some 200 members each. */
const COUNT = 12_500;

/**
 * Measures in a Redis of its own, each case under a prefix of its own. Redis keeps an index of up to 128 members in a third of the
 * memory, so in indexes that others have begun, the first member above that would pay for theirs too.
 */
export async function credentialMemory(directory: string): Promise<CredentialMemory> {
  mkdirSync(directory);
  const redis = await startRedis(directory);
  const bytesEach = async (prefix: string, subOf: (index: number) => string) => {
    const seeder = await openSeeder(redis.url, `${prefix}:`);
    // Scripts and connections are there before it is measured.
    await seeder.seed(1, subOf);
    const before = await redis.usedMemory();
    await seeder.seed(COUNT, subOf);
    const bytes = ((await redis.usedMemory()) - before) / COUNT;
    await seeder.close();
    return bytes;
  };
  const oneWorkload = await bytesEach('case-1', () => 'many');
  const manyWorkloads = await bytesEach('case-2', (index) => `some-${Math.floor(index / 20)}`);
  await redis.client.config('SET', 'zset-max-listpack-entries', LISTPACK_ENTRIES);
  const compact = await bytesEach('case-3', () => 'many');
  await redis.end();
  return { oneWorkload, manyWorkloads, compact };
}
