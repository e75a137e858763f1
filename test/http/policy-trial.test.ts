/** Policies on trial are asked what the binding ones are asked. They decide nothing, and the audit log says what they would have. */
import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { writePolicies } from '../support/policy.js';
import { until } from '../support/until.js';

const BINDING = resolve('config/policies');
const TRIAL = `@id("trial-reads") @lifetime("60") permit (principal in Owner::"sre", action == Action::"read", resource);
@id("trial-writes") permit (principal == Workload::"lab:agent-8", action == Action::"write", resource);
@id("trial-opens") permit (principal, action == Action::"openTask", resource);
@id("trial-audit") permit (principal, action == Action::"readAudit", resource);
@id("trial-nothing-for-agent-9") forbid (principal == Workload::"lab:agent-9", action in Action::"access", resource);`;

let broker: TestBroker;
let soc: string;
const trial = writePolicies({ 'trial.cedar': TRIAL });

beforeAll(async () => {
  const policy = { engine: 'cedar', directory: BINDING, trial: { directory: trial, enforce: 'audit' } };
  broker = await startBroker({ config: { policy } });
  soc = await broker.identity('soc', { exp: 4_000_000_000 });
});

type Line = Record<string, unknown>;

async function entries(type = 'policy.trial'): Promise<Line[]> {
  const { body } = await broker.get(`/audit?limit=1000&type=${type}`, soc);
  return (body as { lines: string[] }).lines.map((line) => JSON.parse(line) as Line);
}

async function triedFor(who: string): Promise<Line[]> {
  const found = async () => (await entries()).filter(({ actor }) => (actor as { id: string }).id === who);
  await until(async () => (await found()).length > 0, `no trial of ${who} was entered`);
  return found();
}

const ask = async (sub: string, scope: string) => broker.exchange(await broker.identity(sub), { scope });

describe('policies on trial', () => {
  it('refuse nobody: the audit log has what they would have answered, and no denial', async () => {
    const before = (await entries('credential.refused')).length;
    expect((await ask('agent-9', 'incident/1:read')).status).toBe(200);
    expect(await triedFor('lab:agent-9')).toEqual([
      expect.objectContaining({
        actor: { id: 'lab:agent-9', kind: 'workload', issuer: 'lab' },
        target: TICKETS,
        access: [{ path: 'incident/1', actions: ['read'] }],
        trial: {
          instead: expect.objectContaining({ outcome: 'permit', policies: ['sre-agents-read-incidents'] }),
          would: expect.objectContaining({ outcome: 'deny', policies: ['trial-nothing-for-agent-9'] }),
        },
      }),
    ]);
    const [entry] = await triedFor('lab:agent-9');
    for (const field of ['error', 'retry', 'decision', 'reason', 'outcome']) expect(entry).not.toHaveProperty(field);
    expect((await entries('credential.refused')).length).toBe(before);
  });

  it('permit nobody', async () => {
    expect((await ask('agent-8', 'incident/1:write')).status).toBe(400);
    expect(await triedFor('lab:agent-8')).toMatchObject([
      { trial: { instead: { outcome: 'deny' }, would: { outcome: 'permit', policies: ['trial-writes'] } } },
    ]);
  });

  it('shorten nothing, and are entered once an hour where they would say the same', async () => {
    const lives = async () => ((await ask('agent-7', 'incident/1:read')).body as { expires_in: number }).expires_in;
    expect([await lives(), await lives()]).toEqual([300, 300]);
    expect(await triedFor('lab:agent-7')).toMatchObject([
      { trial: { instead: { lifetimeSeconds: 300 }, would: { outcome: 'permit', lifetimeSeconds: 60 } } },
    ]);
  });

  it('are reloaded with the others, and a mistake in them keeps all as they are', async () => {
    writePolicies(
      { 'trial.cedar': `${TRIAL}\n@id("typo") permit (principal, action == Action::"raed", resource);` },
      trial,
    );
    const { problems } = await broker.reloadPolicies();
    expect(problems).toEqual([expect.objectContaining({ reason: expect.stringContaining('raed') })]);
    writePolicies({ 'trial.cedar': TRIAL }, trial);
    expect(await broker.reloadPolicies()).toMatchObject({ problems: [] });
  });
});
