/** The Redis memory that audit entries take. */
import type { Redis } from 'ioredis';

/** Returns bytes per entry, averaged over all entries. */
export async function auditBytesPerEntry(redis: Redis): Promise<number> {
  const head = await redis.get('mayfly:{audit}:head');
  const entries = Number(/"seq":(\d+)/.exec(head ?? '')?.[1]);
  let bytes = 0;
  let cursor = '0';
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', 'mayfly:{audit}*', 'COUNT', 10_000);
    const sizes = await Promise.all(keys.map((key) => redis.memory('USAGE', key, 'SAMPLES', 0)));
    bytes += sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    cursor = next;
  } while (cursor !== '0');
  return bytes / entries;
}
