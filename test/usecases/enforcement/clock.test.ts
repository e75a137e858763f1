/** Somebody sets the broker's clock, and AWS has its own: a dead session stays denied for as long as AWS would accept it. */
import { describe, expect, it } from '@jest/globals';
import { handClock } from '../../support/clock.js';
import { memoryAws, OTHER_ROLE, ROLE } from '../../support/sessions/memory-aws.js';
import { modelStore } from '../../support/search/model-store.js';
import { FENCED_SECONDS, sessionBroker, watching } from '../../support/brokers/sessions.js';

const HOUR_MS = 3_600_000;

async function begin() {
  const [clock, awsClock] = [handClock(), handClock()];
  const store = modelStore(clock);
  const aws = memoryAws(awsClock);
  const brokerCalled = (node: string) => sessionBroker({ store, clock, aws, node, fitness: watching(store, clock) });
  let broker = brokerCalled('one');
  const wait = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000);
      awsClock.advance(1_000);
      await broker.work();
    }
  };
  await wait(FENCED_SECONDS);
  const sessions = [await broker.mint('lab:red-1'), await broker.mint('lab:blue-1'), await broker.mint('lab:red-2')];
  const [ended, cut, living] = sessions.map(({ credential }) => credential.id) as [string, string, string];
  return {
    ...{ clock, aws, wait, ended, cut, living },
    broker: () => broker,
    /** The next broker starts with the clock as it is now. */
    restart: () => void (broker = brokerCalled('two')),
    revoke: async () => {
      await broker.revoke('credential', ended, 'end');
      await broker.revoke('workload', 'lab:blue-1', 'cutoff');
    },
    reads: () => [ended, cut, living].map((id) => aws.reads(id)),
  };
}

describe('a clock that is set ahead', () => {
  it('lets nothing live again: neither while it is doubted nor when it is trusted again, until AWS has forgotten it', async () => {
    const { clock, wait, revoke, ended, cut, aws } = await begin();
    await revoke();
    await wait(5);
    clock.jump(2 * HOUR_MS);
    for (let minute = 0; minute < 15; minute += 1) {
      await wait(60);
      expect([ended, cut].map((id) => aws.reads(id))).toEqual([false, false]);
    }
  });

  it('does not stop new ends from being pushed', async () => {
    const { clock, wait, revoke, reads } = await begin();
    clock.jump(HOUR_MS);
    await wait(1);
    await revoke();
    await wait(5);
    expect(reads()).toEqual([false, false, true]);
  });

  it('leaves nothing out when the whole policy is pushed again', async () => {
    const { clock, wait, revoke, reads, aws, broker } = await begin();
    await revoke();
    await wait(5);
    clock.jump(HOUR_MS);
    await wait(1);
    aws.tamper(ROLE);
    await broker().reconciler.check();
    await wait(5);
    expect(reads()).toEqual([false, false, true]);
  });

  it('does not end a cutoff of the whole role', async () => {
    const { clock, wait, reads, broker } = await begin();
    await broker().revoke('target', ROLE, 'cutoff');
    await wait(5);
    expect(reads()).toEqual([false, false, false]);
    clock.jump(2 * HOUR_MS);
    await wait(120);
    expect(reads()).toEqual([false, false, false]);
  });
});

describe('a clock that is set back', () => {
  it('does not save from a cutoff of the whole role what was issued later than it by that clock', async () => {
    const { clock, wait, reads, broker } = await begin();
    clock.jump(-HOUR_MS / 4);
    await wait(1);
    await broker().revoke('target', ROLE, 'cutoff');
    await wait(5);
    expect(reads()).toEqual([false, false, false]);
  });

  it('does not put off the next attempt at a role that failed', async () => {
    const { clock, wait, revoke, reads, aws } = await begin();
    clock.jump(HOUR_MS);
    aws.failing.add(ROLE);
    await revoke();
    await wait(3);
    clock.jump(-HOUR_MS);
    aws.failing.clear();
    await wait(15);
    expect(reads()).toEqual([false, false, true]);
  });

  it('does not keep the next broker from pushing', async () => {
    const { clock, wait, revoke, reads, restart, aws } = await begin();
    clock.jump(-HOUR_MS);
    restart();
    await revoke();
    await wait(5);
    expect(reads()).toEqual([false, false, true]);
    expect(aws.document(OTHER_ROLE)).toBeDefined();
  });
});

describe('a clock that AWS does not share', () => {
  it('ends no denial, however long ago what it denies has expired by it, until the two agree', async () => {
    const { aws, wait, revoke, ended } = await begin();
    const isDenied = () => JSON.stringify(aws.document(ROLE)).includes(ended.replace('crd_', ''));
    const { enforcer } = aws.minter;
    await revoke();
    await wait(5);
    enforcer.clockAgrees = () => false;
    await wait(1_100);
    expect(isDenied()).toBe(true);
    enforcer.clockAgrees = () => true;
    await wait(70);
    expect(isDenied()).toBe(false);
  });
});
