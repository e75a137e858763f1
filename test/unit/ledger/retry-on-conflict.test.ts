/** Changing a record while others write first. */
import { expect, it } from '@jest/globals';
import { z } from 'zod';
import { updateRecord, upsertRecord } from '../../../src/ledger/retry-on-conflict.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import { record } from '../../../src/store/record.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';
import { refusal } from '../../support/refusal-code.js';

const counters = record(z.strictObject({ count: z.int() }), (name: string) => `shard/${name}` as const);

/** The pauses are counted, and nobody really waits. */
function ledgerWithPauses() {
  const pauses: number[] = [];
  const clock = { ...handClock(), pause: (ms: number) => Promise.resolve(void pauses.push(ms)) };
  const { records, log } = modelStore(clock);
  return { pauses, ledger: { records, clock, log: openRevocationLog(log) } };
}

it('is repeated until this writer is first, on what the others have written', async () => {
  const { ledger, pauses } = ledgerWithPauses();
  const raise = () => upsertRecord(ledger, counters, 'a', (there = { count: 0 }) => ({ count: there.count + 1 }));
  await Promise.all([1, 2, 3, 4, 5].map(raise));
  expect((await counters.read(ledger, 'a'))?.value.count).toBe(5);
  expect(pauses.length).toBeGreaterThan(0);
});

it('ends with a refusal that says so when others are always first', async () => {
  const { ledger, pauses } = ledgerWithPauses();
  let count = 0;
  const records = { ...ledger.records, commit: () => Promise.resolve(false) };
  const losing = upsertRecord({ ...ledger, records }, counters, 'a', () => ({ count: (count += 1) }));
  expect(await refusal(losing)).toBe('temporarily_unavailable');
  expect(count).toBe(12);
  expect(pauses).toHaveLength(11);
});

it('of what does not exist is null, and of what needs no change is what there is', async () => {
  const { ledger } = ledgerWithPauses();
  expect(await updateRecord(ledger, counters, 'a', ({ count }) => ({ count: count + 1 }))).toBeNull();
  await counters.write(ledger, 'a', undefined, { count: 1 });
  expect(await updateRecord(ledger, counters, 'a', () => undefined)).toEqual({ count: 1 });
  expect(await updateRecord(ledger, counters, 'a', ({ count }) => ({ count: count + 1 }))).toEqual({ count: 2 });
});
