/** Quotas: what one party, one team and one issuer may have in the store; who pays, and what is given back when. */
import { describe, expect, it } from '@jest/globals';
import type { Credential } from '../../../src/domain/credential.js';
import type { PartyRef } from '../../../src/domain/party.js';
import { cause, type Cause } from '../../../src/domain/selector.js';
import type { Task } from '../../../src/domain/task.js';
import type { AuthenticatedCaller } from '../../../src/identity/proof.js';
import { accountsOf, type Quotas } from '../../../src/ledger/accounts.js';
import { countKeptBytes } from '../../../src/ledger/kept-bytes.js';
import { recordKey } from '../../../src/ledger/keys.js';
import { createAllowance } from '../../../src/tasks/allowance.js';
import { createQuotas } from '../../../src/tasks/quotas.js';
import { openTask } from '../../../src/tasks/open-task.js';
import { sweep } from '../../../src/tasks/sweep.js';
import { proven } from '../../support/brokers/stubbed.js';
import { AGENT, OPERATOR, TARGET, wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { handClock } from '../../support/clock.js';
import { refusal } from '../../support/refusal-code.js';
import { soc } from '../../support/revoking.js';
import { completeTask } from '../../support/verbs.js';

const AMPLE = { perWorkload: 1_000, perOwner: 1_000, perIssuer: 1_000 };
const HOUR_MS = 3_600_000;
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

const restart = ({ deps }: WholeBroker, quotas: Partial<Quotas>) => {
  deps.assertWithinQuota = createQuotas(deps.ledger, { openTasks: AMPLE, keptMiB: AMPLE, ...quotas });
};

async function limited(quotas: Partial<Quotas>): Promise<WholeBroker> {
  const broker = await wholeBroker();
  restart(broker, quotas);
  return broker;
}
const withTasks = (most: Partial<Quotas['openTasks']>) => limited({ openTasks: { ...AMPLE, ...most } });

/** A party opens a task for itself. */
function openAs({ deps, clock }: WholeBroker, id: string, over: Partial<PartyRef> = {}) {
  const { party, ...proof } = proven(id, clock);
  const caller: AuthenticatedCaller = { ...proof, party: { ...party, ...over } };
  return openTask(deps, caller, { workload: id, purpose: 'triage', requestId: 'r' });
}

const complete = ({ deps, operator }: WholeBroker, taskId: string) =>
  completeTask(deps, operator, { taskId, requestId: 'r', outcome: 'completed' });

/** An idempotency key, and the digest of the request it is for. */
const idempotencyKey = { key: 'one', body: 'same' };

describe('open tasks', () => {
  it.each<[string, (broker: WholeBroker, parent: string) => Promise<unknown>]>([
    ['POST /tasks', (broker) => broker.open({ workload: OPERATOR })],
    [
      'POST /tasks with an Idempotency-Key',
      (broker) => broker.open({ idempotencyKey: { ...idempotencyKey, key: crypto.randomUUID() } }),
    ],
    ['a child', (broker, parent) => broker.open({ parent })],
    ['a task for another workload', (broker) => broker.open({ workload: AGENT })],
    ['an exchange without a task', (broker) => broker.exchange({ subject: { token: OPERATOR, type: JWT } })],
  ])('%s counts, and is refused above the quota before anything is written', async (_, open) => {
    const broker = await withTasks({ perWorkload: 2 });
    const { task } = await broker.open({ workload: OPERATOR });
    await open(broker, task.id);
    const before = await broker.audited();
    await expect(open(broker, task.id)).rejects.toMatchObject({
      code: 'quota_exceeded',
      details: { retry: 'later', retryAfterSeconds: 60 },
    });
    expect((await broker.audited()).slice(before.length).filter(({ type }) => type !== 'credential.refused')).toEqual(
      [],
    );
    await complete(broker, task.id);
    await broker.open({ workload: OPERATOR });
  });

  it('who has all that it may have still gets credentials under them, and answers to what it asked before', async () => {
    const broker = await withTasks({ perWorkload: 1 });
    const first = await broker.open({ idempotencyKey });
    expect(await refusal(broker.open())).toBe('quota_exceeded');
    expect((await broker.open({ idempotencyKey })).task.id).toBe(first.task.id);
    await broker.under(first.task.id);
  });

  it('it pays who opens a task, and not the workload that the task is for', async () => {
    const broker = await withTasks({ perWorkload: 1 });
    await broker.open({ workload: AGENT });
    await broker.exchange();
    expect(await refusal(broker.exchange())).toBe('quota_exceeded');
  });

  it.each<[string, (broker: WholeBroker, taskId: string) => unknown]>([
    [
      'its deadline passes, swept or not',
      ({ clock }) => {
        clock.advance(HOUR_MS);
      },
    ],
    [
      'its heartbeats are missed',
      async (broker) => {
        broker.clock.advance(31_000);
        await sweep(broker.deps.ledger);
      },
    ],
    ['it is completed', complete],
    ['it is ended by an operator', (broker, value) => soc(broker, { kind: 'task', value })],
    ['its workload is cut off', (broker) => soc(broker, { kind: 'workload', value: AGENT }, 'cutoff')],
    ['its team is cut off', (broker) => soc(broker, { kind: 'owner', value: 'sre' }, 'cutoff')],
    ['its issuer is cut off', (broker) => soc(broker, { kind: 'issuer', value: 'lab' }, 'cutoff')],
  ])('a task and its child no longer count when %s', async (_, end) => {
    const broker = await withTasks({ perIssuer: 2 });
    const { task } = await broker.open({ heartbeat: { intervalSeconds: 10, missesAllowed: 3 } });
    await broker.open({ parent: task.id });
    expect(await refusal(broker.open())).toBe('quota_exceeded');
    broker.clock.advance(10_000); // An account that is full is looked through every ten seconds.
    await end(broker, task.id);
    // Fresher than any cutoff, as a caller that comes back after one must be.
    const back = { ...proven(OPERATOR, broker.clock, broker.clock.now() + 60_000) };
    const open = () => openTask(broker.deps, back, { workload: AGENT, purpose: 'triage', requestId: 'r' });
    await open();
    await open();
    expect(await refusal(open())).toBe('quota_exceeded');
  });

  it('are counted in the store: two brokers share the quota, and a restart forgets nothing', async () => {
    const { deps, clock } = await wholeBroker();
    const start = () => ({
      ...deps,
      assertWithinQuota: createQuotas(deps.ledger, { openTasks: { ...AMPLE, perWorkload: 3 }, keptMiB: AMPLE }),
    });
    const [one, two] = [start(), start()];
    const open = (on: typeof one) =>
      openTask(on, proven(OPERATOR, clock), { workload: AGENT, purpose: 'triage', requestId: 'r' });
    await open(one);
    await open(two);
    await open(one);
    for (const broker of [two, one, start()]) expect(await refusal(open(broker))).toBe('quota_exceeded');
  });

  it('of a team count together at one issuer, and another issuer that names the same team uses up nothing of them', async () => {
    const broker = await withTasks({ perOwner: 2 });
    await openAs(broker, 'lab:a');
    await openAs(broker, 'lab:b');
    expect(await refusal(openAs(broker, 'lab:c'))).toBe('quota_exceeded');
    await openAs(broker, 'lab:c', { owner: 'payments' });
    await openAs(broker, 'lab:c', { issuer: 'elsewhere' });
  });

  it('follow the team of a workload: what it opened counts for the team that its token names now', async () => {
    const broker = await withTasks({ perOwner: 1 });
    const { task } = await openAs(broker, AGENT, { owner: 'payments' });
    await broker.under(task.id); // The token of the exchange says `sre`.
    await openAs(broker, 'lab:b', { owner: 'payments' });
    expect(await refusal(openAs(broker, 'lab:c'))).toBe('quota_exceeded');
  });

  it('invented names are bounded by their issuer, and use up nothing of another', async () => {
    const broker = await withTasks({ perWorkload: 2, perIssuer: 5 });
    for (let branch = 0; branch < 5; branch += 1) await openAs(broker, `lab:branch-${branch}`);
    expect(await refusal(openAs(broker, 'lab:branch-5'))).toBe('quota_exceeded');
    await openAs(broker, 'lab:main', { issuer: 'elsewhere' });
  });
});

describe('bytes of records', () => {
  /** As much as a request may ask for: about nine kilobytes of record. */
  const access = Array.from({ length: 32 }, (_, i) => ({ path: `${'x'.repeat(240)}${i}`, actions: ['read'] }));
  const ceiling = access.map((one) => ({ target: TARGET, ...one }));

  it.each<[string, (broker: WholeBroker, parent: string) => Promise<{ task: Task; credential?: Credential }>]>([
    ['a task', (broker) => broker.open({ access: ceiling })],
    ['a child', (broker, parent) => broker.open({ parent, access: ceiling })],
    ['a task with an Idempotency-Key', (broker) => broker.open({ idempotencyKey, access: ceiling })],
    ['a task and its credential', (broker) => broker.exchange({ access })],
    ['a further credential', (broker, taskId) => broker.exchange({ under: { taskId }, access })],
  ])('%s is charged with what is written', async (_, write) => {
    const charged: number[] = [];
    const broker = await wholeBroker({
      assertWithinQuota: (_party, { bytes }) => Promise.resolve(void charged.push(bytes)),
    });
    const { task: parent } = await broker.open();
    charged.length = 0;
    const before = await textsOf(broker, parent.id);
    const { task, credential } = await write(broker, parent.id);
    const ids = [...new Set([parent.id, task.id, ...(credential ? [credential.id] : [])])];
    const written = (await textsOf(broker, ...ids)).length - before.length;
    expect(written).toBeGreaterThan(8_000);
    expect(charged).toEqual([expect.any(Number)]);
    // The record of an Idempotency-Key has some bytes more.
    expect(charged[0]! - written).toBeGreaterThanOrEqual(0);
    expect(charged[0]! - written).toBeLessThan(200);
  });

  it('of many requests at once are all counted, and none of these is refused because of another', async () => {
    const broker = await limited({});
    const answers = Array.from({ length: 200 }, () => refusal(broker.open({ access: ceiling })));
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['granted']));
    const { issuer } = proven(OPERATOR, broker.clock).party;
    const kept = await countKeptBytes(broker.deps.ledger, cause('issuer', issuer));
    // About 1.9 MB. Lots are drawn, and no luck is so odd that it is not half, or twice, as much.
    expect(kept).toBeGreaterThan(900_000);
    expect(kept).toBeLessThan(4_000_000);
  });

  it('have a limit, which a restart does not lift, until they are gone', async () => {
    const oneMiB = { keptMiB: { ...AMPLE, perWorkload: 1 } };
    const broker = await limited(oneMiB);
    const openUntilFull = async () => {
      for (let opened = 0; opened < 400; opened += 1)
        if ((await refusal(broker.open({ access: ceiling }))) === 'quota_exceeded') return opened;
      throw new Error('nothing was refused');
    };
    // Lots are drawn. About 110 such records are a MiB, and no luck is so odd that 30 are or 400 are not.
    expect(await openUntilFull()).toBeGreaterThan(30);
    restart(broker, oneMiB);
    expect(await openUntilFull()).toBeLessThan(200);
    broker.clock.advance(27 * HOUR_MS); // An hour of the task, a day of history, and what the hours are rounded by.
    await broker.open({ access: ceiling });
  });
});

const textsOf = async ({ store }: WholeBroker, ...ids: string[]) =>
  (await store.records.read(ids.map(recordKey))).join('');

describe('an allowance', () => {
  const LIMITS = { perWorkload: 80, perOwner: 400, perIssuer: 800 };
  const ACCOUNTS = accountsOf({ kind: 'workload', id: 'lab:a', issuer: 'lab', owner: 'sre' });
  const [issuer, owner, workload] = ACCOUNTS.map(({ account }) => account);

  /** @param totals What is counted in the store, the widest account first. */
  function counting(...totals: number[]) {
    const counted: string[] = [];
    const clock = handClock();
    const count = async (account: Cause) => {
      counted.push({ [issuer!]: 'issuer', [owner!]: 'owner', [workload!]: 'workload' }[account] ?? '?');
      await clock.pause(1);
      return totals[ACCOUNTS.findIndex((one) => one.account === account)] ?? 0;
    };
    const allowance = createAllowance({ limits: LIMITS, count, clock });
    return { counted, clock, take: () => allowance.take(ACCOUNTS, 1) };
  }

  it('far from its limit is counted once in ten seconds, and its parts are not counted while the whole is small', async () => {
    const { counted, clock, take } = counting(10, 10, 10);
    for (let n = 0; n < 8; n += 1) expect(await take()).toBeUndefined();
    expect(counted).toEqual(['issuer']);
    clock.advance(10_000);
    await take();
    expect(counted).toEqual(['issuer', 'issuer']);
  });

  it('is counted anew once an eighth of what was left is used, and near its limit for each request', async () => {
    const { counted, take } = counting(100, 100, 40);
    for (let n = 0; n < 5; n += 1) await take();
    expect(counted).toEqual(['issuer', 'owner', 'workload']);
    await take();
    expect(counted).toEqual(['issuer', 'owner', 'workload', 'workload']);
    const near = counting(100, 100, 79);
    await near.take();
    await near.take();
    expect(near.counted.filter((one) => one === 'workload')).toHaveLength(2);
  });

  it('gives requests that wait for one count no more together than is left', async () => {
    const { counted, take } = counting(100, 100, 73);
    const answers = await Promise.all(Array.from({ length: 30 }, take));
    expect(answers.filter((full) => full === undefined)).toHaveLength(7);
    expect(answers.find((full) => full)).toMatchObject({ level: 'perWorkload' });
    expect(counted).toEqual(['issuer', 'owner', 'workload']);
  });
});
