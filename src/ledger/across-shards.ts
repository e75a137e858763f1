/** The first ones of something that every shard has a part of, shard by shard. */
import type { Shard } from '../domain/id.js';

/** Where there is much, one shard has enough, and what others said would be read in vain. Where there is little, most have none. */
const MORE_EACH_TIME = 4;

/** Returns the first `most`, or all there are. @param inShard returns the first `most` of a shard, in their order */
export async function acrossShards<T>(
  shards: readonly Shard[],
  most: number,
  inShard: (shard: Shard) => Promise<T[]>,
): Promise<T[]> {
  const found: T[] = [];
  for (let from = 0, count = 1; from < shards.length && found.length < most; from += count, count *= MORE_EACH_TIME)
    found.push(...(await Promise.all(shards.slice(from, from + count).map(inShard))).flat());
  return found.slice(0, most);
}
