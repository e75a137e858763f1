/** Records and indexes on LMDB. */
import type { Clock } from '../../domain/time.js';
import { shardOfChange } from '../change.js';
import { stamped, textAt } from '../expiring.js';
import type { Change, Records } from '../store.js';
import { memberKey, rankAbove, rankKey, readRankKey } from './index-key.js';
import { litterCollector } from './litter.js';
import { durably, now, type Tables } from './tables.js';

export function lmdbRecords(tables: Tables, clock: Clock): Records {
  const { records, ranks } = tables;
  const collectLitter = litterCollector(records, clock);
  return {
    read: (keys) => now(tables, () => keys.map((key) => textAt(clock.now(), records.get(key)))),
    commit: async (change) => {
      shardOfChange(change);
      return durably(tables, () => {
        const holds = ([key, expected]: [string, string | undefined]) =>
          textAt(clock.now(), records.get(key)) === expected;
        if (!(change.expect ?? []).every(holds)) return false;
        write(tables, change);
        collectLitter();
        return true;
      });
    },
    range: (index, { after, to, limit }) =>
      now(tables, () => {
        const start = after ? rankKey(index, ...after) : rankKey(index, 0);
        const found = ranks.getKeys({ start, end: rankAbove(index, to), exclusiveStart: after !== undefined, limit });
        return [...found].map((key) => readRankKey(index, key));
      }),
    count: (index, { from = 0, to } = {}) =>
      now(tables, () => ranks.getKeysCount({ start: rankKey(index, from), end: rankAbove(index, to) })),
  };
}

function write({ records, ranks, scores }: Tables, { put, remove, index, unindex }: Change): void {
  for (const [key, text, expiresAt] of put ?? []) void records.put(key, stamped(text, expiresAt));
  for (const key of remove ?? []) void records.remove(key);
  const drop = (name: string, member: string) => {
    const score = scores.get(memberKey(name, member));
    if (score !== undefined) void ranks.remove(rankKey(name, Number(score), member));
  };
  for (const [name, member, score] of index ?? []) {
    drop(name, member);
    void ranks.put(rankKey(name, score, member), '');
    void scores.put(memberKey(name, member), String(score));
  }
  for (const [name, member] of unindex ?? []) {
    drop(name, member);
    void scores.remove(memberKey(name, member));
  }
}
