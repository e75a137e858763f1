/** What reactions do: every `do` with everything that it can cover, down to delegated work. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TestBroker } from '../../support/brokers/http.js';
import { audited, isActive, evaluated, minted, startSignalBroker } from '../../support/brokers/signals.js';
import { opaque, person, workload } from '../../support/issuers/transmitter.js';

let broker: TestBroker;

interface Minted {
  token: string;
  task: string;
  id: string;
}

/** Three credentials: of agent-7 under a task, of agent-8 under a child of that task, and of agent-7 under another task. */
async function family(): Promise<{ own: Minted; child: Minted; other: Minted }> {
  const open = async (wish: object) => {
    const task = { purpose: 'summarise incident 4711', ...wish };
    return ((await broker.post('/tasks', task, await broker.identity('orchestrator'))).body as { id: string }).id;
  };
  const parent = await open({ workload: 'lab:agent-7' });
  const below = await open({ workload: 'lab:agent-8', parent });
  return {
    own: await minted(broker, 'agent-7', { purpose: undefined, task_id: parent }),
    child: await minted(broker, 'agent-8', { purpose: undefined, task_id: below }),
    other: await minted(broker, 'agent-7'),
  };
}

type Row = [does: string, covers: string, subject: string, alive: { own: boolean; child: boolean; other: boolean }];

const ALL_DEAD = { own: false, child: false, other: false };
const TASK_DEAD = { own: false, child: false, other: true };

describe('a reaction ends exactly what its rule covers', () => {
  it.each<Row>([
    ['end', 'credential', 'credential', { own: false, child: true, other: true }],
    ['end', 'task', 'credential', TASK_DEAD],
    ['end', 'task', 'task', TASK_DEAD],
    ['hold', 'task', 'task', TASK_DEAD],
    ['hold', 'workload', 'credential', ALL_DEAD],
    ['hold', 'workload', 'workload', ALL_DEAD],
    ['cutoff', 'workload', 'task', ALL_DEAD],
    ['cutoff', 'workload', 'workload', ALL_DEAD],
    ['hold', 'principal', 'task', ALL_DEAD],
    ['cutoff', 'principal', 'credential', ALL_DEAD],
  ])('when it does %s to the %s of a %s', async (does, covers, named, alive) => {
    const rule = { name: 'rule', event: 'session-revoked', do: does, covers };
    const setting = await startSignalBroker({ reactions: [rule] });
    broker = setting.broker;
    const { own, child, other } = await family();
    const subjects: Record<string, unknown> = {
      credential: { format: 'jwt_id', iss: broker.url, jti: own.id },
      task: opaque(own.task),
      workload: workload('agent-7'),
    };
    expect(await setting.say(setting.idp, subjects[named])).toBe(202);
    const [signal] = await evaluated(broker, 1);
    const lives = async (one: Minted) => isActive(broker, one);
    expect({ own: await lives(own), child: await lives(child), other: await lives(other) }).toEqual(alive);
    await expectExplained(signal?.id ?? '', { does, covers });
    const born = (await broker.exchange(await broker.identity('agent-7'))).status;
    expect(born).toBe(
      does === 'hold' && covers !== 'task' ? 400 : does === 'cutoff' && covers === 'workload' ? 400 : 200,
    );
  });

  it.each(['hold', 'cutoff'])('when it does %s to the issuer of a person', async (does) => {
    const rule = { name: 'rule', event: 'session-revoked', do: does, covers: 'issuer' };
    const setting = await startSignalBroker({ reactions: [rule] });
    broker = setting.broker;
    const hers = await minted(broker, 'agent-7', {
      subject_token: await broker.person('ada'),
      actor_token: await broker.identity('agent-7'),
      actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    });
    const own = await minted(broker, 'agent-7');
    await setting.say(setting.idp, person('somebody else'));
    expect(await evaluated(broker, 1)).toMatchObject([{ reaction: { selector: { kind: 'issuer', value: 'staff' } } }]);
    expect([await isActive(broker, own), await isActive(broker, hers)]).toEqual([true, false]);
  });
});

/** The audit trail leads from the signal to its rule, selector and number; under that number are the publication and its receipt. */
async function expectExplained(id: string, { does, covers }: { does: string; covers: string }): Promise<void> {
  const [{ signal } = {}] = await audited(broker, 'signal.evaluated');
  expect(signal).toMatchObject({ id, state: 'reacted', source: 'idp', reaction: { rule: 'rule', do: does } });
  const { selector, seq } = signal?.reaction ?? {};
  const [published] = await audited(broker, 'revocation.published');
  expect(published).toMatchObject({
    revocation: { seq, effect: does, selector: { ...selector, kind: covers } },
    actor: { id: 'reaction:rule' },
    reason: 'session-revoked from idp: rule',
  });
  const receipt = await broker.get(`/revocations/${seq}`, await broker.identity('soc'));
  expect(receipt.body).toMatchObject({ actor: 'reaction:rule', affected: { credentials: expect.any(Number) } });
}

describe('the reaction that is taken is', () => {
  const base = { event: 'session-revoked', do: 'record' };
  const rules = [
    { ...base, name: 'other-event', event: 'account-disabled' },
    { ...base, name: 'other-source', from: ['edr'] },
    { ...base, name: 'low', level: 'LOW' },
    { ...base, name: 'first' },
    { ...base, name: 'second' },
  ];

  it('the first that fits, and no other', async () => {
    const setting = await startSignalBroker({ reactions: rules });
    await setting.say(setting.idp, workload('agent-7'));
    await setting.say(setting.edr, workload('agent-7'));
    const found = await evaluated(setting.broker, 2);
    expect(Object.fromEntries(found.map(({ source, reaction }) => [source, reaction?.rule]))).toEqual({
      idp: 'first',
      edr: 'other-source',
    });
  });

  it('none: the signal is recorded, and that is in the audit log too', async () => {
    const setting = await startSignalBroker({ reactions: rules.slice(0, 3) });
    await setting.say(setting.idp, workload('agent-7'));
    const [signal] = await evaluated(setting.broker, 1);
    expect(signal).toMatchObject({ state: 'recorded', about: [{ value: 'lab:agent-7' }] });
    expect(signal).not.toHaveProperty('reaction');
  });

  it.each([
    ['end', undefined, workload('agent-7'), '"end" does not fit a workload.'],
    ['end', 'credential', workload('agent-7'), 'The subject is not known here, or has no such thing'],
    ['cutoff', 'principal', workload('agent-7'), 'The subject is not known here, or has no such thing'],
  ])('one that does %s to the %s of what has none does nothing, and says why', async (does, covers, subject, why) => {
    const rule = { name: 'rule', event: 'session-revoked', do: does, ...(covers !== undefined && { covers }) };
    const setting = await startSignalBroker({ reactions: [rule] });
    await setting.say(setting.idp, subject);
    const because = expect.stringContaining(why) as unknown;
    expect(await evaluated(setting.broker, 1)).toMatchObject([
      { state: 'recorded', reaction: { rule: 'rule', because } },
    ]);
    expect(await audited(setting.broker, 'revocation.published')).toEqual([]);
  });
});

describe('a hold with an end', () => {
  beforeEach(async () => {
    const rule = { name: 'rule', event: 'session-revoked', do: 'hold', covers: 'workload', holdSeconds: 600 };
    const setting = await startSignalBroker({ reactions: [rule] });
    broker = setting.broker;
    await setting.say(setting.idp, workload('agent-7'));
    await evaluated(broker, 1);
  });

  it('is lifted by itself, and not before', async () => {
    const status = async () => (await broker.exchange(await broker.identity('agent-7'))).status;
    await broker.advance(599_000);
    await broker.work('receipts');
    expect(await status()).toBe(400);
    await broker.advance(1_000);
    await broker.work('receipts');
    expect(await status()).toBe(200);
  });
});
