/** Runs: what one run of a workload asks for is one open task, without the workload naming it (`trust[].run`). */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Party } from '../../../src/domain/party.js';
import { shardOf } from '../../../src/domain/id.js';
import { findRun } from '../../../src/ledger/runs.js';
import { readTaskState } from '../../../src/ledger/task-state.js';
import { readTask } from '../../../src/ledger/tasks.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { sweep } from '../../../src/tasks/sweep.js';
import { openTask } from '../../../src/tasks/open-task.js';
import { AGENT, TARGET, wholeBroker, withPersons, type WholeBroker } from '../../support/brokers/use-cases.js';
import { proven } from '../../support/brokers/stubbed.js';
import { exchange, type ExchangeRequest } from '../../support/exchanging.js';
import { handClock, type HandClock } from '../../support/clock.js';
import { refusal } from '../../support/refusal-code.js';
import { completeTask, resumeTask, suspendTask } from '../../support/verbs.js';

let clock: HandClock;
let broker: WholeBroker;
/** What the token of whoever asks names as its run. */
let run: string | undefined;
let opened: boolean[];
/** The team that the token of whoever asks names. */
let owner: string;

beforeEach(async () => {
  clock = handClock();
  run = 'run-1';
  owner = 'sre';
  opened = [];
  const { settings } = (await wholeBroker()).deps;
  broker = await wholeBroker({
    clock,
    settings: withPersons(settings),
    identify: (token) => {
      const caller = proven(token, clock);
      if (run === undefined || token.startsWith('staff:')) return Promise.resolve(caller);
      const party: Party = { ...caller.party, run, owner };
      return Promise.resolve({ ...caller, party });
    },
    assertWithinQuota: (_, { opens }) => Promise.resolve(void opened.push(opens)),
  });
});

const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const as = (token: string) => ({ token, type: JWT });
const ask = async (wish: Partial<ExchangeRequest> = {}): Promise<string> => (await broker.exchange(wish)).task.id;
const stateOf = async (task: string) => (await readTask(broker.deps.ledger, task))?.value;
const complete = (taskId: string) =>
  completeTask(broker.deps, broker.operator, { taskId, outcome: 'completed', requestId: 'r' });

describe('what one run asks for', () => {
  it('is one task, which is opened once, and the audit log names the run', async () => {
    const [first, second] = [await ask(), await ask({ access: [{ path: 'incident/5', actions: ['read'] }] })];
    expect(second).toBe(first);
    expect(opened).toEqual([true, false]);
    expect((await stateOf(first))?.credentials).toHaveLength(2);
    const granted = (await broker.audited()).filter(({ type }) => type === 'credential.granted');
    expect(granted.map(({ actor, task }) => [actor?.run, task])).toEqual([
      ['run-1', first],
      ['run-1', first],
    ]);
  });

  it.each<[string, Partial<ExchangeRequest>, string | undefined]>([
    ['another run', {}, 'run-2'],
    ['another workload with a run of that name', { subject: as('lab:other') }, 'run-1'],
    ['another purpose', { under: { purpose: 'summarise' } }, 'run-1'],
    ['a person', { subject: as('staff:ada'), actor: as(AGENT) }, 'run-1'],
    ['no run', {}, undefined],
  ])('is not the task of %s', async (_, wish, other) => {
    const first = await ask();
    run = other;
    const second = await ask(wish);
    expect(second).not.toBe(first);
    const again = await ask(wish);
    expect(again === second).toBe(other !== undefined);
    run = 'run-1';
    expect(await ask()).toBe(first);
  });

  it('is not the task of another person', async () => {
    const [ada, bob] = ['staff:ada', 'staff:bob'].map((person) => ({ subject: as(person), actor: as(AGENT) }));
    const [first, second] = [await ask(ada), await ask(bob)];
    expect(second).not.toBe(first);
    expect([(await stateOf(first))?.principal?.id, (await stateOf(second))?.principal?.id]).toEqual([
      'staff:ada',
      'staff:bob',
    ]);
  });

  it('is under the task that it names, where it names one', async () => {
    const { task } = await broker.open();
    await ask();
    expect(await ask({ under: { taskId: task.id } })).toBe(task.id);
  });
});

describe('the task of a run', () => {
  it.each<[string, (task: string) => Promise<unknown>]>([
    ['is completed', complete],
    ['was ended by a revocation of it', (value) => revokeTask(value)],
    ['is past its deadline', async (task) => clock.set((await stateOf(task))?.deadline ?? 0)],
    [
      'is so near its deadline that it gives nothing',
      async (task) => clock.set(((await stateOf(task))?.deadline ?? 0) - 999),
    ],
  ])('that %s is followed by another one', async (_, end) => {
    const first = await ask();
    await end(first);
    const second = await ask();
    expect(second).not.toBe(first);
    expect(await ask()).toBe(second);
  });

  it('that is over for a team that is new to it, and was cut off, is followed by another one', async () => {
    const first = await ask();
    const selector = { kind: 'owner', value: 'ops' } as const;
    await revoke(broker.deps.ledger, { selector, effect: 'cutoff', reason: 'test', actor: 'broker' });
    clock.advance(120_000);
    owner = 'ops';
    const second = await ask();
    expect(second).not.toBe(first);
    expect(await ask()).toBe(second);
  });

  const revokeTask = (value: string) =>
    revoke(broker.deps.ledger, { selector: { kind: 'task', value }, effect: 'end', reason: 'test', actor: 'broker' });

  it('that is completed after it was found is not used, and the request is not refused', async () => {
    const first = await ask();
    const { ledger } = broker.deps;
    let looks = 0;
    const look: typeof ledger.log.look = async (causes) => {
      looks += 1;
      if (looks === 2) await complete(first);
      return ledger.log.look(causes);
    };
    const racing = { ...broker.deps, ledger: { ...ledger, log: { ...ledger.log, look } } };
    const { task } = await exchange(racing, {
      subject: as(AGENT),
      target: TARGET,
      access: [{ path: 'incident/4711', actions: ['read'] }],
      askedAsScope: true,
      under: { purpose: 'triage' },
      requestId: 'r',
    });
    expect(task.id).not.toBe(first);
    expect((await stateOf(first))?.ended?.as).toBe('completed');
  });

  it('that is suspended is not left for another one', async () => {
    const first = await ask();
    await suspendTask(broker.deps, broker.operator, { taskId: first, requestId: 'r' });
    expect(await refusal(broker.exchange())).toBe('access_denied');
    await resumeTask(broker.deps, broker.operator, { taskId: first, requestId: 'r' });
    expect(await ask()).toBe(first);
  });
});

describe('the end of a run', () => {
  const endRun = (outcome: 'failed' | 'completed', value = 'lab:run-1') =>
    revoke(broker.deps.ledger, {
      selector: { kind: 'run', value },
      effect: 'end',
      outcome,
      reason: 'test',
      actor: 'broker',
    });
  const effective = async (id: string) => {
    const task = await stateOf(id);
    return task && readTaskState(broker.deps.ledger, task);
  };

  it('is that of its tasks before any record says so, and of a task that had ended it changes nothing', async () => {
    const [first, second] = [await ask(), await ask({ under: { purpose: 'summarise' } })];
    await complete(second);
    await endRun('failed');
    expect([await effective(first), await effective(second)]).toEqual(['failed', 'completed']);
  });

  it('cancels the tasks below that others work on', async () => {
    const first = await ask();
    const opening = { workload: 'lab:helper', purpose: 'part', parent: first, requestId: 'r' };
    const { task } = await openTask(broker.deps, broker.operator, opening);
    await endRun('completed');
    expect([await effective(first), await effective(task.id)]).toEqual(['completed', 'cancelled']);
  });
});

describe('a shared task', () => {
  const idleMs = 900_000;
  const sweepNow = () => sweep(broker.deps.ledger);
  const stateNow = async (id: string) => {
    const task = await stateOf(id);
    return task && readTaskState(broker.deps.ledger, task);
  };
  /** Credentials of the longest lifetime would keep it in use. */
  const short = { lifetimeSeconds: 60 };

  it('ends when nothing was granted under it for so long, and not before; the next request opens another one', async () => {
    const first = await ask(short);
    // The latest request before a renewal is due: it writes none, and the whole time still begins with it.
    clock.advance(112_999);
    expect(await ask(short)).toBe(first);
    clock.advance(idleMs - 1);
    await sweepNow();
    expect(await stateNow(first)).toBe('open');
    expect(await ask(short)).toBe(first);
    clock.advance(idleMs - 1);
    await sweepNow();
    expect(await stateNow(first)).toBe('open');
    // It is renewed once in an eighth of the time, and so lasts an eighth longer at the most.
    clock.advance(idleMs / 8 + 5_000);
    await sweepNow();
    expect((await stateOf(first))?.ended).toMatchObject({ as: 'expired', reason: 'nothing was asked for any more' });
    expect(await ask(short)).not.toBe(first);
  });

  it('that is idle is followed by another one also where no sweep has come by', async () => {
    const first = await ask(short);
    clock.advance(2 * idleMs);
    expect(await ask(short)).not.toBe(first);
  });

  it('is not idle while a credential of it is alive, for who has one does not ask', async () => {
    const first = await ask({ lifetimeSeconds: 3_000 });
    clock.advance(2_999_999);
    await sweepNow();
    expect(await stateNow(first)).toBe('open');
    clock.advance(1);
    await sweepNow();
    expect(await stateNow(first)).toBe('expired');
  });

  it('is not idle while a task below it is open, and is not renewed by what is refused', async () => {
    const [first, refused] = [await ask(short), await ask({ ...short, under: { purpose: 'other' } })];
    const opening = { workload: 'lab:helper', purpose: 'part', parent: first, requestId: 'r', deadlineSeconds: 1_500 };
    await openTask(broker.deps, broker.operator, opening);
    clock.advance(idleMs / 2);
    const nowhere = { target: 'https://nowhere.example', under: { purpose: 'other' } };
    expect(await refusal(broker.exchange(nowhere))).toBe('invalid_target');
    clock.advance(idleMs - 1);
    await sweepNow();
    expect([await stateNow(first), await stateNow(refused)]).toEqual(['open', 'expired']);
    // The child is past its deadline, and so no reason to go on; the renewal by the child has to run out first.
    clock.advance(2 * idleMs);
    await sweepNow();
    await sweepNow();
    expect(await stateNow(first)).toBe('expired');
  });

  it('that is suspended is neither ended nor left, however long that lasts', async () => {
    const first = await ask(short);
    await suspendTask(broker.deps, broker.operator, { taskId: first, requestId: 'r' });
    clock.advance(2 * idleMs);
    expect(await refusal(broker.exchange(short))).toBe('access_denied');
    await sweepNow();
    await resumeTask(broker.deps, broker.operator, { taskId: first, requestId: 'r' });
    await sweepNow();
    expect(await ask(short)).toBe(first);
  });

  it('writes its sign of life once in an eighth of the time, and not with each request', async () => {
    const first = await ask(short);
    const lastAt = async () => ((await stateOf(first))?.heartbeat?.lastAt ?? 0) - clock.now();
    clock.advance(112_999);
    await ask(short);
    expect(await lastAt()).toBe(-112_999);
    clock.advance(1);
    await ask(short);
    expect(await lastAt()).toBe(0);
  });

  it('has a limit of its own, and a task that is named has the other', async () => {
    const { settings } = broker.deps;
    settings.limits.credentialsPerSharedTask = 20;
    for (let asked = 0; asked < 20; asked += 1) await ask();
    expect(await refusal(broker.exchange())).toBe('slow_down');
    const { task } = await broker.open();
    for (let asked = 0; asked < 16; asked += 1) await ask({ under: { taskId: task.id } });
    expect(await refusal(broker.exchange({ under: { taskId: task.id } }))).toBe('slow_down');
  });
});

describe('with an Idempotency-Key', () => {
  const keyed = { idempotencyKey: { key: 'k', body: 'b' } };

  it.each([
    ['first', () => Promise.resolve()],
    ['after another request', () => ask()],
  ])('a retry finds the task of its run, which has come %s, also when that has ended', async (_, before) => {
    await before();
    const first = await ask(keyed);
    expect(await ask(keyed)).toBe(first);
    await complete(first);
    expect(await refusal(broker.exchange(keyed))).toBe('invalid_grant');
    expect(await refusal(broker.exchange({ idempotencyKey: { key: 'k', body: 'c' } }))).toBe('conflict');
    expect(await ask()).not.toBe(first);
  });

  it('another purpose is refused', async () => {
    await ask(keyed);
    const other = { under: { purpose: 'summarise' }, idempotencyKey: { key: 'k', body: 'c' } };
    expect(await refusal(broker.exchange(other))).toBe('conflict');
  });

  it('another run retries nothing of this one', async () => {
    const first = await ask(keyed);
    // In another shard the key would not even be looked for.
    for (let number = 2; run === 'run-1'; number += 1) {
      const other = { workload: AGENT, run: `run-${number}`, principal: undefined, purpose: 'triage' };
      if ((await findRun(broker.deps.ledger, other)).shard === shardOf(first)) run = other.run;
    }
    expect(await ask(keyed)).not.toBe(first);
  });
});
