/** Records that cannot be read, and a ledger that does not answer: the rest is denied as always, and so is what is unknown. */
import { describe, expect, it } from '@jest/globals';
import type { Issued } from '../../../src/credentials/release.js';
import { recordKey } from '../../../src/ledger/keys.js';
import type { Records } from '../../../src/store/store.js';
import { handClock } from '../../support/clock.js';
import { memoryAws, OTHER_ROLE, ROLE } from '../../support/sessions/memory-aws.js';
import { modelStore } from '../../support/search/model-store.js';
import { FENCED_SECONDS, pass, sessionBroker } from '../../support/brokers/sessions.js';

async function begin() {
  const clock = handClock();
  const aws = memoryAws(clock);
  const { records, ...store } = modelStore(clock);
  const broker = sessionBroker({ store: { ...store, records }, clock, aws });
  await pass(clock, FENCED_SECONDS, broker);
  const failures: unknown[] = [];
  /** Passes time, and collects the errors of turns that fail. */
  const passFailing = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000);
      await broker.work().catch((error: unknown) => failures.push(error));
    }
  };
  const reads = ({ credential }: Issued) => aws.reads(credential.id);
  return { ...broker, records, aws, clock, reads, failures, passFailing };
}

/** Makes reading the indexes of this name fail, until the returned function is called. */
function breakIndex(records: Records, name: string): () => void {
  const range = records.range.bind(records);
  records.range = (index, by) => (index.endsWith(name) ? Promise.reject(new Error('broken')) : range(index, by));
  return () => void (records.range = range);
}

const put = (id: string, text: string) => (records: Records) => records.commit({ put: [[recordKey(id), text]] });
const remove = (id: string) => (records: Records) => records.commit({ remove: [recordKey(id)] });

describe('a session whose record', () => {
  it.each<[string, (one: Issued) => (records: Records) => Promise<boolean>]>([
    ['is broken off', ({ credential }) => put(credential.id, '{"id":')],
    ['is none of this version', ({ credential }) => put(credential.id, '{"id":"x"}')],
    ['is gone', ({ credential }) => remove(credential.id)],
    ["is there, but its task's broken off", ({ task }) => put(task.id, '{"id":')],
    ["is there, but its task's gone", ({ task }) => remove(task.id)],
  ])('%s is denied by its id at every role, and stops no other denial', async (_, spoil) => {
    const { mint, revoke, records, aws, clock, events, reads, work } = await begin();
    const broken = await mint('lab:red-1');
    const dead = [await mint('lab:red-1'), await mint('lab:blue-1'), await mint('lab:blue-1', { role: OTHER_ROLE })];
    const living = [await mint('lab:red-1'), await mint('lab:red-1', { role: OTHER_ROLE })];
    await spoil(broken)(records);
    for (const { credential } of dead) await revoke('credential', credential.id, 'end');
    await work();
    expect(events).toContain('unreadable');
    clock.advance(5_000);
    expect([broken, ...dead, ...living].map(reads)).toEqual([false, false, false, false, true, true]);
    for (const role of [ROLE, OTHER_ROLE])
      expect(JSON.stringify(aws.document(role))).toContain(broken.credential.id.replace('crd_', ''));
  });
});

describe('while the enforcement index cannot be read', () => {
  it('for half a minute nothing new is minted, and as soon as it can there is, and all is well, without a write', async () => {
    const { mint, records, aws, events, failures, passFailing } = await begin();
    const writes = () => [ROLE, OTHER_ROLE].map((role) => aws.writes(role).length);
    const before = writes();
    const mend = breakIndex(records, '/told');
    while (!events.includes('failing')) await passFailing(1);
    await passFailing(29);
    await expect(mint('lab:red-1')).resolves.toBeDefined();
    await passFailing(1);
    for (const role of [ROLE, OTHER_ROLE])
      await expect(mint('lab:red-1', { role })).rejects.toMatchObject({ code: 'temporarily_unavailable' });
    expect(failures).toHaveLength(31);
    mend();
    await passFailing(1);
    for (const role of [ROLE, OTHER_ROLE]) await expect(mint('lab:red-1', { role })).resolves.toBeDefined();
    expect([failures.length, writes()]).toEqual([31, before]);
    expect(events.slice(-3)).toEqual(['failing', 'recovered', 'recovered']);
  });
});

describe('while the index of reservations cannot be read', () => {
  it('denials are pushed all the same, and the failure reaches the schedule', async () => {
    const { mint, revoke, records, reads, failures, passFailing } = await begin();
    const dead = await mint('lab:red-1');
    await revoke('credential', dead.credential.id, 'end');
    breakIndex(records, '/unconfirmed');
    await passFailing(5);
    expect([reads(dead), failures.length]).toEqual([false, 5]);
  });
});
