/** AWS sessions over HTTP: what is granted is what can be done, until the deadline, and until the task ends. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';

let broker: AwsBroker;
beforeAll(async () => void (broker = await startAwsBroker()));

describe('a session', () => {
  it('reads what was granted and nothing else, until its deadline', async () => {
    const keys = await broker.mint('agent-7', { lifetime: '120' });
    expect(broker.reads(keys.accessKeyId)).toBe(true);
    expect(broker.reads(keys.accessKeyId, 'tenant-43/a.txt')).toBe(false);
    await broker.pass(119);
    expect(broker.reads(keys.accessKeyId)).toBe(true);
    await broker.pass(1);
    expect(broker.reads(keys.accessKeyId)).toBe(false);
  });

  it('is denied within seconds of the end of its task, and the answers say how far that has come', async () => {
    const keys = await broker.mint('agent-7');
    const soc = await broker.identity('soc');
    const orchestrator = await broker.identity('orchestrator');
    const done = await broker.post(`/tasks/${keys.taskId}/complete`, { outcome: 'completed' }, orchestrator);
    const session = { kind: 'aws-sts', count: 1, effect: 'pending', boundedBySeconds: 900, waitsFor: 'write' };
    expect(done.body).toMatchObject({ revocation: { affected: { credentials: 1 }, effects: [session] } });
    const ends = async () => ((await broker.get(`/credentials/${keys.id}`, soc)).body as { end: object }).end;
    await broker.pass(1);
    expect(await ends()).toEqual({ effect: 'written', boundedBySeconds: 899, waitsFor: 'propagation' });
    expect(broker.reads(keys.accessKeyId)).toBe(true);
    await broker.pass(4);
    expect(broker.reads(keys.accessKeyId)).toBe(false);
    await broker.pass(11);
    expect(await ends()).toEqual({ effect: 'effective' });
    expect((await broker.get(`/credentials/${keys.accessKeyId}`, soc)).body).toMatchObject({ id: keys.id });
  });
});
