/** Between reserve and release: what was revoked while AWS was still making it is not handed out, and what AWS made is denied. */
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import type { Reply } from '../support/calls.js';
import { until } from '../support/until.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';

const STS = 'AssumeRoleWithWebIdentity';

let broker: AwsBroker;
beforeAll(async () => (broker = await startAwsBroker()));
afterEach(async () => {
  broker.aws.faults.clear();
  await broker.pass(3);
});

const sessionsOf = (taskId: string) =>
  broker.aws.sessions().filter(({ tags }) => tags['jt'] === taskId.replace('tsk_', ''));
const reads = (taskId: string) => sessionsOf(taskId).map(({ id }) => broker.reads(id));

/** Asks for a session; while AWS is at it, something else happens. */
async function meanwhile(taskId: string, happens: () => Promise<unknown>): Promise<Reply> {
  const calls = broker.aws.calls(STS);
  broker.aws.faults.queue(STS, [{ kind: 'delay', ms: 300 }]);
  const asked = broker.session('agent-7', { purpose: undefined, task_id: taskId });
  await until(() => broker.aws.calls(STS) > calls, 'STS is not asked');
  await happens();
  return asked;
}

describe('while AWS makes a session', () => {
  const revoked = async (selector: object) =>
    broker.post('/revocations', { selector, reason: 'now' }, await broker.identity('soc'));
  describe('and its task ends, nothing is handed out, and the session is denied', () => {
    it.each<[string, (task: string) => Promise<unknown>]>([
      ['its task is completed', (task) => broker.complete(task)],
      ['its task is revoked', (value) => revoked({ kind: 'task', value })],
      ['its task is suspended', async (task) => broker.post(`/tasks/${task}/suspend`, { reason: 'x' }, await boss())],
    ])('when %s', async (_, happens) => {
      const task = await broker.open('agent-7');
      const reply = await meanwhile(task, () => happens(task));
      expectOAuthRefusal(reply, 400, 'access_denied', /revoked while it was being minted/);
      expect(reply.text).not.toContain('ASIA');
      expect(reads(task)).toEqual([true]); // AWS made it, and nobody has it.
      await broker.pass(6);
      expect(reads(task)).toEqual([false]);
    });
  });

  it('and its role is cut off, it is denied by when it was issued', async () => {
    const task = await broker.open('agent-7');
    const cutoff = { selector: { kind: 'target', value: ROLE }, effect: 'cutoff', reason: 'x' };
    const reply = await meanwhile(task, async () => broker.post('/revocations', cutoff, await broker.identity('soc')));
    expectOAuthRefusal(reply, 400, 'access_denied', /revoked while it was being minted/);
    await broker.pass(12);
    expect(reads(task)).toEqual([false]);
    expect((await broker.session('agent-7', { purpose: undefined, task_id: task })).status).toBe(200);
  });

  it('and its receipt counts it: the walk finds what was reserved', async () => {
    const task = await broker.open('agent-7');
    let receipt: Reply | undefined;
    await meanwhile(task, async () => (receipt = await revoked({ kind: 'task', value: task })));
    expect(receipt?.body).toHaveProperty('affected.credentials', 1);
  });
});

describe('an answer of AWS that is lost', () => {
  it('each time: the caller gets an answer that says to ask again, and all that AWS made is denied by one tag', async () => {
    const task = await broker.open('agent-7');
    broker.aws.faults.always((operation) => (operation === STS ? { kind: 'lost-answer' } : undefined));
    const reply = await broker.session('agent-7', { purpose: undefined, task_id: task });
    expectOAuthRefusal(reply, 503, 'temporarily_unavailable', /does not answer/);
    const made = sessionsOf(task);
    expect(made.length).toBeGreaterThan(1);
    expect(new Set(made.map(({ tags }) => tags['jc'])).size).toBe(1);
    expect(new Set(reads(task))).toEqual(new Set([true]));
    await broker.pass(6);
    expect(new Set(reads(task))).toEqual(new Set([false]));
    // The task has not lost anything by it.
    broker.aws.faults.clear();
    expect((await broker.session('agent-7', { purpose: undefined, task_id: task })).status).toBe(200);
  });

  it('once: the second answer is handed out, and both sessions end together', async () => {
    const task = await broker.open('agent-7');
    broker.aws.faults.queue(STS, [{ kind: 'lost-answer' }]);
    const keys = await broker.mint('agent-7', { purpose: undefined, task_id: task });
    expect(reads(task)).toEqual([true, true]);
    const holder = { authorization: `Bearer ${await broker.identity('agent-7')}` };
    await broker.form('/revoke', { token: keys.accessKeyId }, holder);
    await broker.pass(6);
    expect(reads(task)).toEqual([false, false]);
  });
});

const boss = () => broker.identity('orchestrator');
