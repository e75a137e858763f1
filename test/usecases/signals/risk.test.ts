/** Risk that signals set: policy sees it at the next decision, and it falls with time. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { TestBroker } from '../../support/brokers/http.js';
import { COMPLIANCE, opaque, person, RISK, workload } from '../../support/issuers/transmitter.js';
import { isActive, evaluated, minted, startSignalBroker, type SignalBroker } from '../../support/brokers/signals.js';

const POLICIES = `
@id("not-at-high-risk") forbid (principal, action in Action::"access", resource) when { context.risk == "HIGH" };
@id("not-this-at-any-risk") forbid (principal, action in Action::"access", resource == Resource::"https://tickets.example#incident/1")
when { context.risk != "LOW" };`;

const raises = (covers: string, risk = 'HIGH') => ({
  name: `${covers}-${risk.toLowerCase()}`,
  ...{ event: 'risk-level-change', level: risk, do: 'risk', risk, covers },
});

let setting: SignalBroker;
let broker: TestBroker;
let count = 0;
const start = async (...reactions: object[]) => {
  setting = await startSignalBroker({ reactions, riskStepSeconds: 600 }, { policies: POLICIES });
  broker = setting.broker;
  count = 0;
};

async function risk(subject: unknown, level = 'HIGH') {
  const facts = { current_level: level, reason_admin: { en: 'seen' } };
  expect(await setting.say(setting.idp, subject, { event: RISK, facts })).toBe(202);
  return (await evaluated(broker, (count += 1))).at(-1);
}

/** The risk level that policy saw, as its decision shows. */
async function seen(sub = 'agent-7', wish: Record<string, string | undefined> = {}): Promise<string> {
  const identity = await broker.identity(sub);
  if ((await broker.exchange(identity, wish)).status !== 200) return 'HIGH';
  return (await broker.exchange(identity, { ...wish, scope: 'incident/1:read' })).status === 200 ? 'LOW' : 'MEDIUM';
}

describe('a risk', () => {
  beforeEach(() => start(raises('workload'), raises('workload', 'MEDIUM')));

  it('is what policy sees at the next decision, and ends nothing by itself', async () => {
    const own = await minted(broker, 'agent-7');
    expect(await risk(workload('agent-7'))).toMatchObject({
      state: 'reacted',
      reaction: { rule: 'workload-high', do: 'risk', level: 'HIGH', selector: { value: 'lab:agent-7' } },
    });
    expect([await isActive(broker, own), await seen(), await seen('agent-8')]).toEqual([true, 'HIGH', 'LOW']);
  });

  it('falls level by level', async () => {
    await risk(workload('agent-7'));
    await broker.advance(599_000);
    expect(await seen()).toBe('HIGH');
    await broker.advance(1_000);
    expect(await seen()).toBe('MEDIUM');
    await broker.advance(600_000);
    expect(await seen()).toBe('LOW');
  });

  it('that refuses says when it has fallen far enough, unless a policy is secret', async () => {
    const ask = async (scope: string) => broker.exchange(await broker.identity('agent-7'), { scope });
    await risk(workload('agent-7'));
    await broker.advance(100_000);
    const first = await ask('incident/2:read');
    expect(first.body).toMatchObject({
      error: 'access_denied',
      error_description:
        "Policy forbids 'read' on incident/2, by 'not-at-high-risk'. At the risk MEDIUM it is permitted; " +
        'the risk falls to that at 2030-01-01T00:10:00.000Z, unless it is raised again.',
      retry: 'later',
    });
    expect(first.headers.get('retry-after')).toBe('500');
    expect((await ask('incident/1:read')).headers.get('retry-after')).toBe('1100');
    // Whatever the risk, nobody may do that.
    expect((await ask('incident/1:write')).body).toMatchObject({ retry: 'never' });
    await broker.advance(500_000);
    expect((await ask('incident/2:read')).status).toBe(200);

    count = 0;
    const secret = POLICIES.replaceAll('@id', '@reveal("no") @id');
    setting = await startSignalBroker({ reactions: [raises('workload')] }, { policies: secret });
    broker = setting.broker;
    await risk(workload('agent-7'));
    const hidden = await ask('incident/2:read');
    expect(hidden.body).toMatchObject({ error_description: "No policy permits 'read' on incident/2.", retry: 'never' });
    expect(hidden.headers.get('retry-after')).toBeNull();
  });

  it('is not lowered by whoever reports a smaller one, and begins anew with the next as great', async () => {
    await risk(workload('agent-7'));
    await broker.advance(300_000);
    await risk(workload('agent-7'), 'MEDIUM');
    expect(await seen()).toBe('HIGH');
    await risk(workload('agent-7'));
    await broker.advance(599_000);
    expect(await seen()).toBe('HIGH');
  });

  it('has the level of the event: a reaction that wants another is not taken', async () => {
    expect(await risk(workload('agent-7'), 'LOW')).toMatchObject({ level: 'LOW', state: 'recorded' });
    expect(await seen()).toBe('LOW');
  });

  it('of a level that nobody knows is the highest', async () => {
    expect(await risk(workload('agent-7'), 'lowish')).toMatchObject({ level: 'HIGH', state: 'reacted' });
  });
});

describe('of everything a request hangs on the highest counts:', () => {
  const forAda = async () => ({
    subject_token: await broker.person('ada'),
    actor_token: await broker.identity('agent-7'),
    actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  });

  it('its task, and no other task of the workload', async () => {
    await start(raises('task'));
    const { task } = await minted(broker, 'agent-7');
    await risk(opaque(task));
    expect([await seen('agent-7', { purpose: undefined, task_id: task }), await seen()]).toEqual(['HIGH', 'LOW']);
  });

  it('the task above it', async () => {
    await start(raises('task'));
    const open = async (wish: object) =>
      (await broker.post('/tasks', { purpose: 'x', ...wish }, await broker.identity('orchestrator'))).body;
    const parent = ((await open({ workload: 'lab:agent-7' })) as { id: string }).id;
    const child = ((await open({ workload: 'lab:agent-8', parent })) as { id: string }).id;
    await risk(opaque(parent));
    expect(await seen('agent-8', { purpose: undefined, task_id: child })).toBe('HIGH');
  });

  it('the person it serves, whoever acts', async () => {
    await start(raises('principal'));
    await risk(person('ada'));
    expect([await seen('agent-7', await forAda()), await seen()]).toEqual(['HIGH', 'LOW']);
  });

  it('the workload itself, where it serves nobody else', async () => {
    await start(raises('principal'));
    const { task } = await minted(broker, 'agent-7');
    expect(await risk(opaque(task))).toMatchObject({ reaction: { selector: { kind: 'principal' } } });
    expect(await seen()).toBe('HIGH');
  });

  it('a credential it is derived from, on which nothing else of the workload hangs', async () => {
    await start(raises('credential'));
    const own = await minted(broker, 'agent-7');
    await risk(opaque(own.id));
    expect(await seen()).toBe('LOW');
  });

  it('the higher of two', async () => {
    await start(raises('principal', 'MEDIUM'), raises('workload'));
    await risk(workload('agent-7'));
    await risk(person('ada'), 'MEDIUM');
    expect(await seen('agent-7', await forAda())).toBe('HIGH');
    await broker.advance(600_000);
    expect(await seen('agent-7', await forAda())).toBe('MEDIUM');
  });
});

it('a device that does not say that it complies does not', async () => {
  const setting = await startSignalBroker({
    reactions: [{ name: 'device', event: 'device-compliance-change', level: 'HIGH', do: 'record' }],
  });
  for (const facts of [{ current_status: 'compliant' }, { current_status: 'not-compliant' }, {}])
    await setting.say(setting.idp, workload('agent-7'), { event: COMPLIANCE, facts });
  const levels = (await evaluated(setting.broker, 3)).map(({ level }) => level);
  expect(levels.toSorted()).toEqual(['HIGH', 'HIGH', 'LOW']);
});
