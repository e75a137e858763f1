/** Forgetting: the log stays small, and nothing that it forgets could still have killed anything. */
import { describe, expect, it } from '@jest/globals';
import type { Effect, Selector } from '../../../src/domain/selector.js';
import { parseTombstone } from '../../../src/domain/tombstone.js';
import { forget } from '../../../src/ledger/forget.js';
import { sweep } from '../../../src/tasks/sweep.js';
import { AGENT, TARGET, wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { liftHold, revokeBySelector, suspendTask } from '../../support/verbs.js';

const MARGIN_MS = 120_000;
const LONGEST_MS = 28_800_000;
const left = async ({ deps, clock, store }: WholeBroker, storeClock = clock.now()) => {
  await forget(deps.ledger, storeClock);
  return (await store.log.snapshot()).tombstones.length;
};
const revoked = ({ deps, operator }: WholeBroker, what: Selector, effect?: Effect) =>
  revokeBySelector(deps, operator, { what, ...(effect && { effect }), reason: 'r', requestId: 'r' });

describe('a tombstone goes two minutes after the last thing it could kill is past its own end', () => {
  it('of a credential: after its expiry', async () => {
    const broker = await wholeBroker();
    const { credential } = await broker.exchange();
    await revoked(broker, { kind: 'credential', value: credential.id });
    broker.clock.set(credential.expiresAt + MARGIN_MS - 1);
    expect(await left(broker)).toBe(1);
    broker.clock.advance(1);
    expect(await left(broker)).toBe(0);
  });

  it('of a credential or a task nobody knows: after the longest that one could have lived', async () => {
    const broker = await wholeBroker();
    await revoked(broker, { kind: 'credential', value: 'crd_aabbbbbbbbbbbbbb' });
    await revoked(broker, { kind: 'task', value: 'tsk_aabbbbbbbbbbbbbb' });
    broker.clock.advance(3_600_000 + MARGIN_MS);
    expect(await left(broker)).toBe(1);
    broker.clock.advance(LONGEST_MS - 3_600_000);
    expect(await left(broker)).toBe(0);
  });

  it('of a task, also one that ended while it was held: after its deadline', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open({ deadlineSeconds: 60 });
    await suspendTask(broker.deps, broker.operator, { taskId: task.id, requestId: 'r' });
    broker.clock.set(task.deadline);
    await sweep(broker.deps.ledger);
    broker.clock.advance(MARGIN_MS - 1);
    expect(await left(broker)).toBe(1);
    broker.clock.advance(1);
    expect(await left(broker)).toBe(0);
  });

  it('of a cutoff, or a hold that was lifted: after the longest any task can run', async () => {
    const broker = await wholeBroker();
    await revoked(broker, { kind: 'target', value: TARGET }, 'cutoff');
    const { seq } = await revoked(broker, { kind: 'target', value: 'x' });
    await liftHold(broker.deps, broker.operator, { seq, requestId: 'r' });
    broker.clock.advance(LONGEST_MS + MARGIN_MS - 1);
    expect(await left(broker)).toBe(2);
    broker.clock.advance(1);
    expect(await left(broker)).toBe(0);
  });
});

it('a hold that stands is never forgotten', async () => {
  const broker = await wholeBroker();
  await revoked(broker, { kind: 'principal', value: AGENT });
  broker.clock.advance(365 * 86_400_000);
  expect(await left(broker)).toBe(1);
});

it('the clock that is behind decides, be it ours or the store’s', async () => {
  const broker = await wholeBroker();
  await revoked(broker, { kind: 'target', value: TARGET }, 'cutoff');
  const now = broker.clock.now();
  broker.clock.advance(LONGEST_MS + MARGIN_MS);
  expect(await left(broker, now)).toBe(1);
  broker.clock.set(now);
  expect(await left(broker, now + LONGEST_MS + MARGIN_MS)).toBe(1);
});

it('what was revoked is dead before, while and after its tombstone is forgotten', async () => {
  const broker = await wholeBroker();
  const issued = await broker.exchange({ lifetimeSeconds: 3_600 });
  await revoked(broker, { kind: 'workload', value: AGENT }, 'cutoff');
  const [[, text] = ['', '']] = (await broker.store.log.snapshot()).tombstones;
  const { until } = parseTombstone(text);
  for (let now = broker.clock.now(); now < until + 3_600_000; now += 1_800_000) {
    broker.clock.set(now);
    await left(broker);
    expect(await broker.isActive(issued)).toBe(false);
  }
  expect(await left(broker)).toBe(0);
});

it('a tombstone that was raised meanwhile stays', async () => {
  const broker = await wholeBroker();
  await revoked(broker, { kind: 'target', value: TARGET }, 'cutoff');
  const { tombstones } = await broker.store.log.snapshot();
  await revoked(broker, { kind: 'target', value: TARGET }, 'cutoff');
  await broker.store.log.forget(tombstones);
  expect((await broker.store.log.snapshot()).tombstones).toHaveLength(1);
});
