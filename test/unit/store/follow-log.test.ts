/** Following the revocation log: pages, gaps, and a log that was replaced. */
import { expect, it } from '@jest/globals';
import type { LogEntry } from '../../../src/domain/tombstone.js';
import { followLog, type FollowableLog } from '../../../src/store/follow-log.js';
import { LogGap } from '../../../src/store/store.js';

/** The entries from `first` to `last` are kept; `name` distinguishes one log from another. */
function logOf(name: string, first: number, last: number): FollowableLog {
  const entry = (seq: number) => ({ seq, id: `${name}${seq}` }) as LogEntry;
  return {
    latest: () => Promise.resolve(last),
    entries: (after, limit) =>
      after > last || after < first - 1
        ? Promise.reject(new LogGap('gone'))
        : Promise.resolve(Array.from({ length: Math.min(limit, last - after) }, (_, i) => entry(after + 1 + i))),
  };
}

const seqs = async (followed: ReturnType<typeof followLog>) => {
  const found = await followed;
  return found.is === 'entries' ? found.entries.map(({ seq }) => seq) : found;
};

it('a page at a time, whether the id of the last entry is known or not', async () => {
  expect(await seqs(followLog(logOf('a', 1, 9), { seq: 0 }, 4))).toEqual([1, 2, 3, 4]);
  expect(await seqs(followLog(logOf('a', 1, 9), { seq: 4 }, 4))).toEqual([5, 6, 7, 8]);
  expect(await seqs(followLog(logOf('a', 1, 9), { seq: 8, id: 'a8' }, 4))).toEqual([9]);
  expect(await seqs(followLog(logOf('a', 1, 9), { seq: 9, id: 'a9' }, 4))).toEqual([]);
});

it('a gap ends where the entries begin that are still kept', async () => {
  for (const first of [7, 50, 99, 100])
    expect(await seqs(followLog(logOf('a', first, 99), { seq: 5, id: 'a5' }, 4))).toEqual({
      ...{ is: 'gap', from: 6, to: first - 1 },
    });
});

it('is none where only the entry that was followed last is gone', async () => {
  expect(await seqs(followLog(logOf('a', 6, 99), { seq: 5, id: 'a5' }, 2))).toEqual([6, 7]);
});

it('a log that ends before the cursor, or has another entry there, was replaced', async () => {
  expect(await seqs(followLog(logOf('a', 1, 4), { seq: 5 }, 4))).toEqual({ is: 'replaced' });
  expect(await seqs(followLog(logOf('b', 1, 9), { seq: 5, id: 'a5' }, 4))).toEqual({ is: 'replaced' });
});

it('what goes wrong otherwise is no gap, neither at first nor while the end of a gap is searched', async () => {
  const log = logOf('a', 50, 99);
  for (const broken of [1, 2, 5]) {
    let calls = 0;
    const entries: FollowableLog['entries'] = (after, limit) =>
      (calls += 1) === broken ? Promise.reject(new Error('broken')) : log.entries(after, limit);
    await expect(followLog({ ...log, entries }, { seq: 5 }, 4)).rejects.toThrow('broken');
  }
});
