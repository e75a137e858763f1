/** A role's policy has room for some hundred denials, and thousands of sessions may die. Then more is revoked than was asked, never less. */
import { describe, expect, it } from '@jest/globals';
import type { Issued } from '../../../src/credentials/release.js';
import { readTaskState } from '../../../src/ledger/task-state.js';
import { handClock } from '../../support/clock.js';
import { memoryAws, OTHER_ROLE, ROLE } from '../../support/sessions/memory-aws.js';
import { modelStore } from '../../support/search/model-store.js';
import { FENCED_SECONDS, pass, sessionBroker } from '../../support/brokers/sessions.js';

async function begin() {
  const clock = handClock();
  const aws = memoryAws(clock);
  const store = modelStore(clock);
  const broker = sessionBroker({ store, clock, aws });
  await pass(clock, FENCED_SECONDS, broker);
  const { log, records } = broker.deps.ledger;
  return {
    ...{ ...broker, aws, clock },
    pass: (seconds: number) => pass(clock, seconds, broker),
    passing: (sessions: readonly Issued[]) => sessions.filter(({ credential }) => aws.reads(credential.id)).length,
    isOpen: async ({ task }: Issued) => (await readTaskState({ log, records, clock }, task)) === 'open',
    /** The cutoffs that the broker published itself, to make room. */
    cutOff: async () => {
      const entries = await store.log.entries(0, 10_000);
      return entries.flatMap(({ actor, effect, selector }) =>
        actor === 'broker' && effect === 'cutoff' ? [selector.value] : [],
      );
    },
  };
}

type Stage = Awaited<ReturnType<typeof begin>>;

/** No write was refused for its size, and none came in the same second as another. */
function checkWrites({ aws, events }: Stage): void {
  expect(events.filter((event) => event !== 'pushed')).toEqual([]);
  for (const role of [ROLE, OTHER_ROLE]) {
    const writes = aws.writes(role);
    expect(Math.max(...writes.map(({ text }) => text?.length ?? 0))).toBeLessThanOrEqual(10_240);
    expect(new Set(writes.map(({ at }) => Math.floor(at / 1_000))).size).toBe(writes.length);
  }
}

const CROWDED = ['lab:red-1', 'lab:red-2', 'ci:red-3'];
const QUIET = ['lab:blue-1', 'lab:green-1'];

describe('thousands of ends by few workloads', () => {
  it('cost the other sessions of those workloads, no task, and no session of anybody else', async () => {
    const stage = await begin();
    const { mint, complete, passing, isOpen, cutOff, pass: wait } = stage;
    const quiet = await Promise.all(QUIET.map((workload) => mint(workload)));
    const elsewhere = await Promise.all(CROWDED.map((workload) => mint(workload, { role: OTHER_ROLE })));
    const busy = await Promise.all(CROWDED.map((workload) => mint(workload)));
    const dead: Issued[] = [];
    for (let wave = 0; wave < 25; wave += 1) {
      const minted = await Promise.all(Array.from({ length: 100 }, (_, n) => mint(CROWDED[n % 3] ?? '')));
      for (const { task } of minted) await complete(task.id);
      dead.push(...minted);
      await wait(1);
    }
    await wait(20);
    expect([passing(dead), passing(quiet), passing(elsewhere)]).toEqual([0, QUIET.length, elsewhere.length]);
    const cut = await cutOff();
    expect(cut.length).toBeGreaterThanOrEqual(3);
    expect(new Set(cut)).toEqual(new Set(CROWDED.map((workload) => `${ROLE}#${workload}`)));
    expect([passing(busy), await Promise.all(busy.map(isOpen))]).toEqual([0, busy.map(() => true)]);
    const renewed = await Promise.all(busy.map(({ task }) => mint(task.workload.id, { taskId: task.id })));
    await wait(20);
    expect(passing(renewed)).toBe(busy.length);
    checkWrites(stage);
  });
});

describe('hundreds of ends by as many workloads', () => {
  it('cost every session of the role, no task, and no session of another role', async () => {
    const stage = await begin();
    const { mint, revoke, passing, isOpen, cutOff, pass: wait } = stage;
    const workloads = Array.from({ length: 520 }, (_, n) => `lab:team${n}-1`);
    const minted = await Promise.all(workloads.map((workload) => mint(workload)));
    const elsewhere = await mint('lab:team0-1', { role: OTHER_ROLE });
    const [bystander] = minted.splice(0, 1) as [Issued];
    for (const { credential } of minted) await revoke('credential', credential.id, 'end');
    await wait(6);
    expect([passing(minted), passing([bystander]), passing([elsewhere])]).toEqual([0, 0, 1]);
    expect([await cutOff(), await isOpen(bystander)]).toEqual([[ROLE], true]);
    await wait(10);
    const renewed = await mint('lab:team0-1', { taskId: bystander.task.id });
    await wait(20);
    expect(passing([renewed])).toBe(1);
    checkWrites(stage);
  });

  it('that are too few for that are denied one by one', async () => {
    const stage = await begin();
    const { mint, revoke, passing, cutOff, pass: wait } = stage;
    const minted = await Promise.all(Array.from({ length: 400 }, (_, n) => mint(`lab:team${n}-1`)));
    const living = minted.splice(0, 20);
    for (const { credential } of minted) await revoke('credential', credential.id, 'end');
    await wait(6);
    expect([passing(minted), passing(living), await cutOff()]).toEqual([0, 20, []]);
    checkWrites(stage);
  });
});
