/** The limits of what one task may have alive are exact, and a retry finds what its first attempt made. */
import { describe, expect, it } from '@jest/globals';
import { returnToken } from '../../../src/credentials/return-token.js';
import type { Issued } from '../../../src/credentials/release.js';
import { shardOf } from '../../../src/domain/id.js';
import { refusal } from '../../support/refusal-code.js';
import { wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';
import { revokeBySelector, resumeTask, suspendTask } from '../../support/verbs.js';

const MOST = 16;

async function full() {
  const broker = await wholeBroker();
  const { task } = await broker.open();
  const issued: Issued[] = [];
  for (let number = 0; number < MOST; number += 1) issued.push(await broker.under(task.id));
  return { broker, taskId: task.id, issued };
}

const end = ({ deps, operator }: WholeBroker, value: string) =>
  revokeBySelector(deps, operator, { what: { kind: 'credential', value }, reason: 'r', requestId: 'r' });

describe('sixteen live credentials', () => {
  it('are the most a task may have: the seventeenth is refused, with the time after which to try again', async () => {
    const { broker, taskId } = await full();
    await expect(broker.under(taskId)).rejects.toMatchObject({
      code: 'slow_down',
      details: { retry: 'later', retryAfterSeconds: 300 },
    });
    expect(await refusal(broker.exchange())).toBe('granted'); // another task
  });

  it.each<[string, (broker: WholeBroker, issued: Issued) => Promise<unknown>]>([
    [
      'returned by its holder',
      ({ deps, agent }, { minted }) =>
        returnToken(deps, agent, { token: accessTokenOf(minted.material), requestId: 'r' }),
    ],
    ['revoked by an operator', (broker, { credential }) => end(broker, credential.id)],
  ])('one %s makes room for exactly one', async (_, free) => {
    const { broker, taskId, issued } = await full();
    await free(broker, issued[7]!);
    expect(await refusal(broker.under(taskId))).toBe('granted');
    expect(await refusal(broker.under(taskId))).toBe('slow_down');
  });

  it('count no longer once they are expired, or were killed by a suspension', async () => {
    const { broker, taskId } = await full();
    const request = { taskId, requestId: 'r' };
    await suspendTask(broker.deps, broker.operator, request);
    await resumeTask(broker.deps, broker.operator, request);
    for (let number = 0; number < MOST; number += 1) expect(await refusal(broker.under(taskId))).toBe('granted');
    expect(await refusal(broker.under(taskId))).toBe('slow_down');
    broker.clock.advance(300_000);
    expect(await refusal(broker.under(taskId))).toBe('granted');
  });

  it('are as many when asked for all at once', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    for (let round = 0; round < 8; round += 1) {
      await Promise.all(Array.from({ length: 4 }, () => refusal(broker.under(task.id))));
    }
    expect(await refusal(broker.under(task.id))).toBe('slow_down');
    const granted = (await broker.audited()).filter(({ type }) => type === 'credential.granted');
    expect(granted).toHaveLength(MOST);
  });
});

describe('a retry with the same key', () => {
  const idempotencyKey = { key: 'k', body: 'b' };

  it('finds the task its first attempt opened, also when both come at once', async () => {
    const broker = await wholeBroker();
    const opened = await Promise.all([
      broker.open({ idempotencyKey }),
      broker.open({ idempotencyKey }),
      broker.open({ idempotencyKey }),
    ]);
    const exchanged = await Promise.all([1, 2, 3].map(() => broker.exchange({ idempotencyKey })));
    expect(new Set(opened.map(({ task }) => task.id)).size).toBe(1);
    expect(new Set(exchanged.map(({ task }) => task.id)).size).toBe(1);
    expect((await broker.audited()).filter(({ type }) => type === 'task.opened')).toHaveLength(1);
  });

  it('is refused for another request', async () => {
    const broker = await wholeBroker();
    await broker.open({ idempotencyKey });
    expect(await refusal(broker.open({ idempotencyKey: { ...idempotencyKey, body: 'c' } }))).toBe('conflict');
  });

  it('finds a child too, wherever its parent lives', async () => {
    const broker = await wholeBroker();
    for (let number = 0; number < 6; number += 1) {
      const parent = (await broker.open()).task.id;
      const [one, two] = [await broker.open({ parent, idempotencyKey }), await broker.open({ parent, idempotencyKey })];
      expect(one.task.id).toBe(two.task.id);
    }
    expect(await refusal(broker.open({ parent: '../../x', idempotencyKey }))).toBe('not_found');
  });

  it('opens a child in the shard of the key itself, although the key was used for one elsewhere', async () => {
    const home = shardOf((await (await wholeBroker()).open({ idempotencyKey })).task.id);
    const broker = await wholeBroker();
    const parentIn = async (isIt: (shard: string) => boolean) => {
      for (;;) {
        const { id } = (await broker.open()).task;
        if (isIt(shardOf(id))) return id;
      }
    };
    await broker.open({ parent: await parentIn((shard) => shard !== home), idempotencyKey });
    const parent = await parentIn((shard) => shard === home);
    const [one, two] = [await broker.open({ parent, idempotencyKey }), await broker.open({ parent, idempotencyKey })];
    expect(one.task.id).toBe(two.task.id);
  });

  it('opens a new task once the old one is long over', async () => {
    const broker = await wholeBroker();
    const one = await broker.open({ idempotencyKey, deadlineSeconds: 60 });
    broker.clock.advance(60_000);
    expect((await broker.open({ idempotencyKey, deadlineSeconds: 60 })).task.id).not.toBe(one.task.id);
  });
});
