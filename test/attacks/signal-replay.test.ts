/** Somebody who has seen an event sends it again, or sends another event under its id. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { audited, evaluated, push, startSignalBroker, type SignalBroker } from '../support/brokers/signals.js';
import { workload } from '../support/issuers/transmitter.js';

const HOLD = { name: 'hold', event: 'session-revoked', do: 'hold', covers: 'workload', holdSeconds: 60 };
let setting: SignalBroker;
beforeEach(async () => {
  setting = await startSignalBroker({ reactions: [HOLD], dedupeSeconds: 0 });
});

const revocations = () => audited(setting.broker, 'revocation.published');

it('the same event is taken each time and applied once, also long after its hold was lifted', async () => {
  const { broker, idp } = setting;
  const set = await idp.set(workload('agent-7'));
  for (let times = 0; times < 3; times += 1) expect((await push(broker, set)).status).toBe(202);
  await evaluated(broker, 1);
  await broker.advance(60_000);
  await broker.work('receipts');
  await broker.advance(3_600_000);
  expect((await push(broker, set)).status).toBe(202);
  await broker.work('signals');
  expect((await audited(broker, 'signal.evaluated')).length).toBe(1);
  expect((await revocations()).map(({ revocation }) => revocation?.effect)).toEqual(['hold', 'lift']);
  expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(200);
});

it('at once, by many ways, it is applied once', async () => {
  const set = await setting.idp.set(workload('agent-7'));
  const replies = await Promise.all(Array.from({ length: 20 }, () => push(setting.broker, set)));
  expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([202]));
  await evaluated(setting.broker, 1);
  await setting.broker.work('signals');
  expect((await revocations()).length).toBe(1);
});

it('another content under the same jti is refused, and the first stands', async () => {
  const { broker, idp } = setting;
  const claims = { jti: 'one' };
  expect((await push(broker, await idp.set(workload('agent-7'), { claims }))).status).toBe(202);
  const reply = await push(broker, await idp.set(workload('agent-8'), { claims }));
  expect([reply.status, reply.body]).toEqual([400, { err: 'invalid_request', description: expect.any(String) }]);
  expect(await evaluated(broker, 1)).toMatchObject([{ about: [{ kind: 'workload', value: 'lab:agent-7' }] }]);
  expect((await broker.exchange(await broker.identity('agent-8'))).status).toBe(200);
});

it('one transmitter cannot use up the jti of another', async () => {
  const { broker, idp, edr } = setting;
  const claims = { jti: 'one' };
  expect((await push(broker, await edr.set(workload('agent-8'), { claims }))).status).toBe(202);
  expect((await push(broker, await idp.set(workload('agent-7'), { claims }))).status).toBe(202);
  expect((await evaluated(broker, 2)).map(({ source }) => source).sort()).toEqual(['edr', 'idp']);
});

it('once it could be forgotten it is too old to be taken', async () => {
  const { broker, idp } = setting;
  const set = await idp.set(workload('agent-7'));
  await push(broker, set);
  await evaluated(broker, 1);
  await broker.advance(86_400_000);
  await broker.work('forget');
  expect((await push(broker, set)).body).toMatchObject({ description: expect.stringMatching('too long ago') });
});

describe('a transmitter whose keys rotate', () => {
  it('is accepted with the new key at once, and with the old one as long as it is published', async () => {
    const { broker, idp } = setting;
    const early = await idp.set(workload('agent-1'));
    await idp.rotate({ keep: true });
    expect((await push(broker, await idp.set(workload('agent-2')))).status).toBe(202);
    expect((await push(broker, early)).status).toBe(202);
    const late = await idp.set(workload('agent-3'));
    await idp.rotate();
    await broker.advance(1_000);
    expect((await push(broker, late)).body).toMatchObject({ err: 'invalid_key' });
    expect((await push(broker, await idp.set(workload('agent-4')))).status).toBe(202);
  });

  it('may sign what it has sent already again with the new key: it is the same event', async () => {
    const { broker, idp } = setting;
    const claims = { jti: 'once' };
    expect((await push(broker, await idp.set(workload('agent-7'), { claims }))).status).toBe(202);
    await idp.rotate();
    expect((await push(broker, await idp.set(workload('agent-7'), { claims }))).status).toBe(202);
    await evaluated(broker, 1);
    expect((await revocations()).length).toBe(1);
  });
});
