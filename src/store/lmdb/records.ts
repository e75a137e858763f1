/** Records and indexes on LMDB. */
import type { Database } from 'lmdb';
import { defined } from '../../domain/defined.js';
import type { SystemClock } from '../../domain/time.js';
import { isCollectable, shardOfChange, stamped, textAt } from '../encoding.js';
import type { Change, Records } from '../store.js';
import type { Room } from './room.js';
import { durably, now, type Tables } from './tables.js';

export function lmdbRecords(tables: Tables, clock: SystemClock, room: Pick<Room, 'assertForRecords'>): Records {
  const { records, ranks } = tables;
  const collectExpired = expiredCollector(records, clock);
  return {
    read: (keys) => now(tables, () => keys.map((key) => textAt(clock.reading(), records.get(key)))),
    commit: async (change) => {
      shardOfChange(change);
      return durably(tables, () => {
        room.assertForRecords();
        const holds = ([key, expected]: [string, string | undefined]) =>
          textAt(clock.reading(), records.get(key)) === expected;
        if (!(change.expect ?? []).every(holds)) return false;
        write(tables, change);
        collectExpired();
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

/**
 * Returns a key of an index table. These keys are bytes that sort as `range` answers: by index, then score, then member.
 * NUL ends the name of an index, so that no name is the beginning of another.
 */
const memberKey = (index: string, member: string): Buffer => Buffer.from(`${index}\0${member}`);

function rankKey(index: string, score: number, member = ''): Buffer {
  const number = Buffer.alloc(SCORE_BYTES);
  number.writeBigUInt64BE(BigInt(Math.min(Math.max(Math.ceil(score), 0), NO_SCORE)));
  return Buffer.concat([Buffer.from(`${index}\0`), number, Buffer.from(member)]);
}

const SCORE_BYTES = 8;
/** Above every score, which are below 2^53. */
const NO_SCORE = Number.MAX_SAFE_INTEGER + 1;

/** Returns where the scores above `score` begin. */
const rankAbove = (index: string, score = NO_SCORE): Buffer => rankKey(index, Math.floor(score) + 1);

function readRankKey(index: string, key: Buffer): [member: string, score: number] {
  const at = Buffer.byteLength(index) + 1;
  return [key.subarray(at + SCORE_BYTES).toString(), Number(key.readBigUInt64BE(at))];
}

/** A range costs more to open than to read, so several writes share one. */
const WRITES_PER_LOOK = 8;
const LOOKED_AT_PER_WRITE = 4;

/**
 * Returns a function that removes texts that expired long ago, to be called in the transaction of every write. It looks at a
 * few texts for each write and goes round the table, so the work follows the load and needs neither a timer nor an index: what
 * has expired never grows beyond a third of what is alive.
 */
export function expiredCollector(table: Database<string, string>, clock: SystemClock): () => void {
  const limit = WRITES_PER_LOOK * LOOKED_AT_PER_WRITE;
  let writes = 0;
  let last: string | undefined;
  return () => {
    writes += 1;
    if (writes % WRITES_PER_LOOK !== 0) return;
    const next = [...table.getRange(defined({ start: last, limit: limit + 1 }))];
    for (const { key, value } of next) if (isCollectable(clock.reading(), value)) void table.remove(key);
    last = next.length > limit ? next.at(-1)?.key : undefined;
  };
}
