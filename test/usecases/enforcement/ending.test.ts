/**
 * Which AWS sessions die of which end: exactly those that hang on what ended, and all others pass as before. Judged by the
 * evaluator, request by request, once the deny policy has spread.
 */
import { describe, expect, it } from '@jest/globals';
import type { Issued } from '../../../src/credentials/release.js';
import type { Effect, SelectorKind } from '../../../src/domain/selector.js';
import { lift } from '../../../src/ledger/revoke.js';
import { handClock } from '../../support/clock.js';
import { memoryAws, OTHER_ROLE, ROLE } from '../../support/sessions/memory-aws.js';
import { FENCED_SECONDS, pass, sessionBroker } from '../../support/brokers/sessions.js';
import { lmdbStore } from '../../support/brokers/use-cases.js';

async function begin() {
  const clock = handClock();
  const aws = memoryAws(clock);
  const broker = sessionBroker({ store: await lmdbStore(clock), clock, aws });
  await pass(clock, FENCED_SECONDS, broker);
  return { ...broker, clock, aws, pass: (seconds: number) => pass(clock, seconds, broker) };
}

/** Sessions that share as much as they can with each other, in two roles. */
async function crowd() {
  const broker = await begin();
  const { mint, open } = broker;
  const red = await mint('lab:red-1');
  const parent = await open('lab:green-1');
  const child = await open('lab:red-2', { parent });
  const sessions = {
    red,
    redAgain: await mint('lab:red-1', { taskId: red.task.id }),
    redElsewhere: await mint('lab:red-1', { taskId: red.task.id, role: OTHER_ROLE }),
    redOtherTask: await mint('lab:red-1'),
    redMate: await mint('lab:red-2'),
    redAtCi: await mint('ci:red-3'),
    blue: await mint('lab:blue-1'),
    blueElsewhere: await mint('lab:blue-1', { role: OTHER_ROLE }),
    blueForAnna: await mint('lab:blue-1', { person: 'staff:anna' }),
    blueForBert: await mint('lab:blue-1', { person: 'staff:bert' }),
    parent: await mint('lab:green-1', { taskId: parent }),
    child: await mint('lab:red-2', { taskId: child, role: OTHER_ROLE }),
  };
  const living = (): Name[] => NAMES.filter((name) => broker.aws.reads(sessions[name].credential.id));
  return { ...broker, sessions, living, tasks: { parent, child, red: red.task.id } };
}

type Crowd = Awaited<ReturnType<typeof crowd>>;
type Name = (typeof NAMES)[number];
const NAMES = [
  ...(['red', 'redAgain', 'redElsewhere', 'redOtherTask', 'redMate', 'redAtCi'] as const),
  ...(['blue', 'blueElsewhere', 'blueForAnna', 'blueForBert', 'parent', 'child'] as const),
];
const but = (...names: Name[]): Name[] => NAMES.filter((name) => !names.includes(name));
const OF_RED: Name[] = ['red', 'redAgain', 'redElsewhere', 'redOtherTask'];
const ELSEWHERE: Name[] = ['redElsewhere', 'blueElsewhere', 'child'];
const OF_TEAM_RED: Name[] = [...OF_RED, 'redMate', 'redAtCi', 'child'];

const idOf = (kind: SelectorKind, value: string, { sessions, tasks }: Crowd): string => {
  if (kind === 'credential') return sessions[value as Name].credential.id;
  return kind === 'task' ? tasks[value as keyof Crowd['tasks']] : value;
};

describe('once the deny policy has spread', () => {
  describe('the end of anything is the end of exactly what hangs on it', () => {
    it.each<[SelectorKind, string, Effect, Name[]]>([
      ['credential', 'red', 'end', ['red']],
      ['credential', 'child', 'end', ['child']],
      ['task', 'red', 'end', ['red', 'redAgain', 'redElsewhere']],
      ['task', 'red', 'hold', ['red', 'redAgain', 'redElsewhere']],
      ['task', 'parent', 'end', ['parent', 'child']],
      ['task', 'parent', 'hold', ['parent', 'child']],
      ['task', 'child', 'end', ['child']],
      ['workload', 'lab:red-1', 'cutoff', OF_RED],
      ['workload', 'lab:red-1', 'hold', OF_RED],
      ['workload', 'lab:green-1', 'cutoff', ['parent', 'child']],
      ['workload', 'lab:green-1', 'hold', ['parent', 'child']],
      ['principal', 'staff:anna', 'cutoff', ['blueForAnna']],
      ['principal', 'staff:anna', 'hold', ['blueForAnna']],
      ['issuer', 'ci', 'cutoff', ['redAtCi']],
      ['issuer', 'lab', 'hold', but('redAtCi')],
      ['issuer', 'staff', 'hold', ['blueForAnna', 'blueForBert']],
      ['owner', 'red', 'cutoff', OF_TEAM_RED],
      ['owner', 'red', 'hold', OF_TEAM_RED],
      ['target', ROLE, 'cutoff', but(...ELSEWHERE)],
      ['target', OTHER_ROLE, 'hold', ELSEWHERE],
      ['target', `${ROLE}#lab:red-1`, 'cutoff', ['red', 'redAgain', 'redOtherTask']],
      ['target', `${ROLE}#lab:red-1`, 'hold', ['red', 'redAgain', 'redOtherTask']],
      ['all', '', 'cutoff', NAMES],
      ['all', '', 'hold', NAMES],
    ])('%s "%s" by %s', async (kind, value, effect, dead) => {
      const all = await crowd();
      expect(all.living()).toEqual(NAMES);
      await all.revoke(kind, idOf(kind, value, all), effect);
      await all.pass(20);
      expect(all.living()).toEqual(but(...dead));
      const ends = await Promise.all(dead.map((name) => all.end(all.sessions[name].credential)));
      expect(ends).toEqual(dead.map(() => ({ effect: 'effective' })));
    });
  });

  it('sessions of the same workload that were minted after a cutoff live', async () => {
    const { revoke, mint, aws, living, pass: wait } = await crowd();
    await revoke('workload', 'lab:red-1', 'cutoff');
    const before = await mint('lab:red-1');
    await wait(20);
    const after = [before, await mint('lab:red-1'), await mint('lab:red-1', { role: OTHER_ROLE })];
    await wait(20);
    expect(after.map(({ credential }) => aws.reads(credential.id))).toEqual([true, true, true]);
    expect(living()).toEqual(but(...OF_RED));
  });

  it('of several cutoffs each kills what was born before it, and nothing else', async () => {
    const { revoke, mint, aws, pass: wait } = await begin();
    const born: Issued[] = [];
    for (let generation = 0; generation < 4; generation += 1) {
      born.push(await mint('lab:red-1'), await mint('lab:blue-1'));
      await revoke('workload', 'lab:red-1', 'cutoff');
      await wait(1);
    }
    born.push(await mint('lab:red-1'));
    await wait(20);
    const passing = born.map(({ credential }) => aws.reads(credential.id));
    expect(passing).toEqual([false, true, false, true, false, true, false, true, true]);
  });

  it.each<[SelectorKind, string]>([
    ['target', ROLE],
    ['all', ''],
  ])('what is minted after a cutoff of %s lives, however soon it was had', async (kind, value) => {
    const { revoke, mint, aws, pass: wait } = await crowd();
    await revoke(kind, value, 'cutoff');
    let waited = 0;
    let minted: Issued | undefined;
    for (; !minted && waited < 30; waited += 1) {
      minted = await mint('lab:red-1').catch(() => undefined);
      if (!minted) await wait(1);
    }
    expect(waited).toBeGreaterThan(5);
    await wait(20);
    expect(minted && aws.reads(minted.credential.id)).toBe(true);
  });

  it('a hold on a workload that is lifted lets new sessions live, under the same task too, and revives none', async () => {
    const { revoke, deps, mint, aws, tasks, living, pass: wait } = await crowd();
    const hold = await revoke('workload', 'lab:red-1', 'hold');
    await wait(5);
    await expect(mint('lab:red-1', { taskId: tasks.red })).rejects.toMatchObject({ code: 'access_denied' });
    await lift(deps.ledger, hold, { actor: 'soc', reason: 'false alarm' });
    const after = await mint('lab:red-1', { taskId: tasks.red });
    await wait(20);
    expect(aws.reads(after.credential.id)).toBe(true);
    expect(living()).toEqual(but(...OF_RED));
  });

  it('a task that is suspended and resumed has only new sessions', async () => {
    const { suspend, resume, mint, aws, tasks, living, pass: wait } = await crowd();
    await suspend(tasks.red);
    await wait(1);
    await resume(tasks.red);
    const after = await mint('lab:red-1', { taskId: tasks.red });
    await wait(20);
    expect(aws.reads(after.credential.id)).toBe(true);
    expect(living()).toEqual(but('red', 'redAgain', 'redElsewhere'));
  });

  it('a task that completes takes the sessions of its children along', async () => {
    const { complete, tasks, living, pass: wait } = await crowd();
    await complete(tasks.parent);
    await wait(20);
    expect(living()).toEqual(but('parent', 'child'));
  });
});
