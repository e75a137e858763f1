/** The client and people who must agree first: a whole broker, and persons who answer by its API. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  ApprovalNeeded,
  mayfly,
  NotApproved,
  Refused,
  TaskEnded,
  type Mayfly,
  type MayflyOptions,
  type Task,
} from '../../src/client/index.js';
import { answerOverHttp } from '../support/approvals/answer-over-http.js';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { until } from '../support/until.js';

let broker: TestBroker;
let identity: string;
let orchestrator: string;
let approver: string;
let incidents = 0;

beforeAll(async () => {
  broker = await startBroker({ config: { approvals: { waitSeconds: 600, pendingPerWorkload: 64 } } });
  const lasting = { expiresInSeconds: 86_400 };
  [identity, orchestrator, approver] = await Promise.all([
    broker.identity('agent-7', lasting),
    broker.identity('orchestrator', lasting),
    broker.person('ann', { ...lasting, groups: ['sre-oncall'] }),
  ]);
});

const client = (more: Partial<MayflyOptions> = {}): Mayfly =>
  mayfly({ url: broker.url, identity: () => identity, ...more });

/** What the shipped policies let the on-call group agree to: each time for another incident. */
const newExport = () => `incident/${(incidents += 1)}:export`;

async function answer(id: string, said: Record<string, unknown> = {}): Promise<void> {
  const reply = await answerOverHttp(broker, id, approver, said);
  expect([reply.status, reply.text]).toEqual([200, expect.any(String)]);
}
const refuse = (id: string) => answer(id, { decision: 'deny', reason: 'not today' });

const caught = (asking: Promise<unknown>): Promise<unknown> =>
  asking.then(
    () => new Error('nothing was thrown'),
    (error: unknown) => error,
  );

async function neededFor(task: Task, access: string): Promise<ApprovalNeeded> {
  const error = await caught(task.credential(TICKETS, access));
  if (error instanceof ApprovalNeeded) return error;
  throw error;
}

/** Waits for people to agree to what nobody was asked about before, and has something happen once they are asked. */
const waitsWhile = (task: Task, happens: (asked: ApprovalNeeded) => unknown, more: { access?: string } = {}) =>
  task.credential(TICKETS, {
    access: newExport(),
    ...more,
    waitForApproval: (asked) => void happens(asked),
  });

describe('what people must agree to first', () => {
  it('is an error of its own, which says which question they are asked, and under which task', async () => {
    await client().run({ purpose: 'audit' }, async (task) => {
      const access = newExport();
      const needed = await neededFor(task, access);
      expect(needed).toBeInstanceOf(Refused);
      expect(needed).toMatchObject({
        name: 'ApprovalNeeded',
        code: 'access_denied',
        retry: 'after-approval',
        approvalId: expect.stringMatching(/^apr_[a-z2-7]{16}$/),
        task: task.id,
        decisionId: expect.stringMatching(/^dec_/),
      });
      // Nobody is asked twice.
      expect((await neededFor(task, access)).approvalId).toBe(needed.approvalId);
    });
  });

  it('is issued once they have, to whoever waits by themselves', async () => {
    await client().run({ purpose: 'audit' }, async (task) => {
      const access = newExport();
      const needed = await neededFor(task, access);
      const agreed = task.untilApproved(needed);
      await answer(needed.approvalId);
      await agreed;
      const { scope, token } = await task.credential(TICKETS, access);
      expect(scope).toBe(access);
      expect((await task.credential(TICKETS, access)).token).toBe(token);
    });
  });

  it('is waited for by the option, and is what they agreed to, and no more', async () => {
    await client().run({ purpose: 'audit' }, async (task) => {
      const asked: string[] = [];
      const { scope, expiresInSeconds } = await waitsWhile(task, ({ approvalId }) => {
        asked.push(approvalId);
        return answer(approvalId, { lifetimeSeconds: 60 });
      });
      expect([asked.length, scope]).toEqual([1, `incident/${incidents}:export`]);
      expect(expiresInSeconds).toBeLessThanOrEqual(60);
    });
  });

  it('is waited for in silence where the option is true', async () => {
    await client().run({ purpose: 'audit' }, async (task) => {
      const access = newExport();
      const { approvalId } = await neededFor(task, access);
      const waits = task.credential(TICKETS, { access, waitForApproval: true });
      await answer(approvalId);
      expect((await waits).scope).toBe(access);
    });
  });

  it('is waited for beyond what one request may take', async () => {
    let polls = 0;
    const counting: typeof fetch = (input, init) => {
      polls += String(input instanceof Request ? input.url : input).includes('?wait=1') ? 1 : 0;
      return fetch(input, init);
    };
    await client({ timeoutMs: 3_500, fetch: counting }).run({ purpose: 'audit' }, async (task) => {
      let id = '';
      const waits = waitsWhile(task, ({ approvalId }) => (id = approvalId));
      await until(() => polls > 2, 'several requests that wait');
      await answer(id);
      expect((await waits).scope).toBe(`incident/${incidents}:export`);
    });
  });

  it('is issued once for all who wait for the same', async () => {
    await client().run({ purpose: 'audit' }, async (task) => {
      const access = newExport();
      const { approvalId } = await neededFor(task, access);
      const waiting = [1, 2, 3].map(() => task.credential(TICKETS, { access, waitForApproval: true }));
      await answer(approvalId);
      expect(new Set((await Promise.all(waiting)).map(({ token }) => token)).size).toBe(1);
    });
  });
});

describe('whoever waits', () => {
  it('learns that the answer is no, and is told no again', async () => {
    await client().run({ purpose: 'audit' }, async (task) => {
      const access = newExport();
      const error = await caught(waitsWhile(task, ({ approvalId }) => refuse(approvalId), { access }));
      expect(error).toBeInstanceOf(NotApproved);
      expect(error).toMatchObject({ approvalId: expect.stringMatching(/^apr_/), state: 'denied' });
      const again = await caught(task.credential(TICKETS, { access, waitForApproval: true }));
      expect(again).toBeInstanceOf(Refused);
      expect(again).not.toBeInstanceOf(ApprovalNeeded);
      expect(again).toMatchObject({ retry: 'never' });
    });
  });

  it('learns that nobody has answered in time', async () => {
    await client().run({ purpose: 'audit' }, async (task) => {
      const needed = await neededFor(task, newExport());
      await broker.advance(600_000);
      expect(await caught(task.untilApproved(needed))).toMatchObject({ name: 'NotApproved', state: 'expired' });
    });
  });

  it('learns that the task was ended by others, who end the question with it', async () => {
    const task = await client().task({ purpose: 'audit' });
    const end = () => broker.post(`/tasks/${task.id}/complete`, { outcome: 'cancelled' }, orchestrator);
    const error = await caught(waitsWhile(task, end));
    expect(error).toBeInstanceOf(TaskEnded);
    expect(error).toMatchObject({ task: task.id, outcome: 'cancelled' });
    expect(task.signal.reason).toBe(error);
  });

  it('learns that the task was completed here', async () => {
    const task = await client().task({ purpose: 'audit' });
    const error = await caught(waitsWhile(task, () => task.complete('completed')));
    expect(error).toBeInstanceOf(TaskEnded);
    expect(error).toMatchObject({ outcome: 'completed' });
  });

  it('stops where it says so, and the question stays', async () => {
    await client().run({ purpose: 'audit' }, async (task) => {
      const access = newExport();
      const needed = await neededFor(task, access);
      const stop = new AbortController();
      const waits = caught(task.untilApproved(needed, { signal: stop.signal }));
      const why = new Error('no time left');
      stop.abort(why);
      expect(await waits).toBe(why);
      await answer(needed.approvalId);
      expect((await task.credential(TICKETS, access)).scope).toBe(access);
    });
  });
});

it('a credential that a person agreed to opens the task of a client that names none', async () => {
  const serving = await broker.person('bob', { expiresInSeconds: 3_600 });
  const task = await client().task({ purpose: 'audit', person: () => serving });
  expect(task.id).toBeUndefined();
  const needed = await neededFor(task, newExport());
  expect(task.id).toBe(needed.task);
  const agreed = task.untilApproved(needed);
  await answer(needed.approvalId);
  await agreed;
  const { scope } = await task.credential(TICKETS, `incident/${incidents}:export`);
  expect(scope).toBe(`incident/${incidents}:export`);
  await task.complete();
});
