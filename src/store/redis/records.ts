/** Records and indexes on Redis. */
import { Cluster } from 'ioredis';
import { askTogether } from '../../domain/ask-together.js';
import type { SystemClock } from '../../domain/time.js';
import { EXPIRED_KEPT_MS, shardOfKey, shardOfChange, stamped, textAt } from '../encoding.js';
import type { Change, Key, Records } from '../store.js';
import type { Client } from './client.js';
import type { Keys } from './keys.js';
import type { Replicated } from './replicas.js';
import { asked, readScript, run, script } from './script.js';

const range = script(readScript('range'));
const commit = script(readScript('commit'));
/** The same script for changes that add nothing: they must be possible when the store is full. */
const shrink = script(commit.text.replace('#!lua', '#!lua flags=allow-oom'));

export function redisRecords(client: Client, keys: Keys, clock: SystemClock, replicated: Replicated): Records {
  // On a cluster nobody waits for, nor fails by, a shard of others.
  const storedUnder = client instanceof Cluster ? readByShard(client, keys) : askTogether(readAtOnce(client, keys));
  return {
    read: async (wanted) => {
      if (wanted.length === 0) return [];
      const stored = await storedUnder(wanted);
      return wanted.map((key) => textAt(clock.reading(), stored.get(key)));
    },
    commit: async (change) => {
      shardOfChange(change);
      const grows = Boolean(change.put?.length ?? change.index?.length);
      const [names, args] = written(change, keys, clock.reading());
      const fitting = grows ? commit : shrink;
      const done = change.durable ? replicated(fitting, names, args) : run(client, fitting, names, args);
      return (await done) === 1;
    },
    range: async (index, { after, to, limit }) => {
      const found = await run(client, range, [keys.index(index)], [to ?? '+inf', limit, ...(after ?? [])]);
      return pairs(found as string[]).map(([member, score]) => [member, Number(score)]);
    },
    count: (index, { from, to } = {}) => asked(client.zcount(keys.index(index), from ?? '-inf', to ?? '+inf')),
  };
}

type Texts = ReadonlyMap<Key, string | null>;

const readAtOnce =
  (client: Client, keys: Keys) =>
  async (wanted: readonly Key[]): Promise<Texts> => {
    const texts = await asked(client.mget(wanted.map(keys.record)));
    return new Map(wanted.map((key, i) => [key, texts[i] ?? null]));
  };

/** On a cluster, a command is about keys of one shard. */
const readByShard =
  (client: Client, keys: Keys) =>
  async (wanted: readonly Key[]): Promise<Texts> => {
    const shards = [...new Set(wanted.map(shardOfKey))];
    const read = readAtOnce(client, keys);
    const texts = await Promise.all(shards.map((shard) => read(wanted.filter((key) => shardOfKey(key) === shard))));
    return new Map(texts.flatMap((some) => [...some]));
  };

/** Returns the KEYS and ARGV of commit.lua. */
function written(change: Change, keys: Keys, now: number): [string[], (string | number)[]] {
  const { expect = [], put = [], remove = [], index = [], unindex = [] } = change;
  const names = [
    ...expect.map(([key]) => keys.record(key)),
    ...put.map(([key]) => keys.record(key)),
    ...remove.map(keys.record),
    ...index.map(([key]) => keys.index(key)),
    ...unindex.map(([key]) => keys.index(key)),
  ];
  const args: (string | number)[] = [now, expect.length, put.length, remove.length, index.length];
  for (const [, text] of expect) args.push(text === undefined ? '-' : ` ${text}`);
  for (const [, text, expiresAt] of put) args.push(stamped(text, expiresAt), collectAfter(now, expiresAt));
  for (const [, member, score] of index) args.push(member, score);
  for (const [, member] of unindex) args.push(member);
  return [names, args];
}

/** Returns how long Redis keeps a text, as a span: the clock of Redis must decide nothing. 0: until it is removed. */
const collectAfter = (now: number, expiresAt: number | undefined): number =>
  expiresAt === undefined ? 0 : Math.max(expiresAt - now + EXPIRED_KEPT_MS, 1);

export function pairs(flat: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i < flat.length; i += 2) found.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return found;
}
