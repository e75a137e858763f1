/** The use of what people agreed to: the policy that asked for their yes does not forbid it then, and forbids it for everything else. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { answerOverHttp } from '../support/approvals/answer-over-http.js';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import type { Reply } from '../support/calls.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';
import { handingOn } from '../support/handing-on.js';

interface Granted {
  access_token: string;
  task_id: string;
}

let broker: TestBroker;
let agent: string;
let api: string;
let paths = 0;

beforeAll(async () => {
  broker = await startBroker({ policies: '', config: { approvals: { pendingPerWorkload: 64 } } });
  [agent, api] = await Promise.all([broker.identity('agent-7'), broker.identity('tickets-api')]);
});

async function answered(id: string): Promise<void> {
  const ann = await broker.person('ann', { groups: ['sre-oncall'] });
  const reply = await answerOverHttp(broker, id, ann);
  expect([reply.status, reply.text]).toEqual([200, expect.any(String)]);
}

const ok = ({ status, text, body }: Reply): Granted => {
  if (status !== 200) throw new Error(text);
  return body as Granted;
};

/** Asks as often as it takes: once, and again when people have agreed. */
async function agreed(ask: () => Promise<Reply>): Promise<Granted> {
  const { body } = await ask();
  await answered((body as { approval_id: string }).approval_id);
  return ok(await ask());
}

const newPath = () => `incident/${(paths += 1)}`;
const exported = (path: string) => agreed(() => broker.exchange(agent, { scope: `${path}:export` }));

/** Returns what both endpoints say of the use. */
async function uses({ access_token: token }: Granted, path: string, action = 'export'): Promise<boolean[]> {
  const subject = { type: 'credential', id: token };
  const question = { subject, action: { name: action }, resource: { type: TICKETS, id: path } };
  const authorization = `Bearer ${api}`;
  const [evaluated, introspected] = await Promise.all([
    broker.post('/access/v1/evaluation', question, api),
    broker.form('/introspect', { token, action, resource: path }, { authorization }),
  ]);
  return [(evaluated.body as { decision: boolean }).decision, (introspected.body as { active: boolean }).active];
}

describe('the use of a credential', () => {
  it('is permitted where people agreed to it, and to nothing beside it', async () => {
    const [path, other] = [newPath(), newPath()];
    const granted = await exported(path);
    expect(await uses(granted, path)).toEqual([true, true]);
    expect(await uses(granted, other)).toEqual([false, false]);
    expect(await uses(granted, path, 'read')).toEqual([false, false]);
  });

  it('is refused where it was granted before policy wanted anybody to agree', async () => {
    const late = `@id("reads-ask") @approval("sre-oncall") forbid (principal, action == Action::"read", resource in Target::"${TICKETS}")
      unless { context.approvals.contains("sre-oncall") };`;
    const granted = ok(await broker.exchange(agent, { scope: 'incident/4711:read' }));
    expect(await uses(granted, 'incident/4711', 'read')).toEqual([true, true]);
    const { policy } = parse(readFileSync(broker.configFile, 'utf8')) as { policy: { directory: string } };
    writeFileSync(join(policy.directory, 'late.cedar'), late);
    await broker.reloadPolicies();
    expect(await uses(granted, 'incident/4711', 'read')).toEqual([false, false]);
    const after = await agreed(() => broker.exchange(agent, { scope: 'incident/4711:read' }));
    expect(await uses(after, 'incident/4711', 'read')).toEqual([true, true]);
  });

  it('ends with the task, whatever people agreed to', async () => {
    const path = newPath();
    const granted = await exported(path);
    await broker.post(`/tasks/${granted.task_id}/complete`, { outcome: 'completed' }, agent);
    expect(await uses(granted, path)).toEqual([false, false]);
  });
});

describe('what is handed on by a credential that people agreed to', () => {
  it('is not agreed to with it: they are asked about whoever gets it', async () => {
    const path = newPath();
    const { access_token: token } = await exported(path);
    const scout = await broker.identity('scout');
    const ask = () => broker.exchange(token, handingOn(scout, { purpose: 'part' }));
    const first = await ask();
    expectOAuthRefusal(first, 400, 'access_denied', /^People must agree to this first/);
    expect(first.body).toMatchObject({ retry: 'after-approval' });
    const handed = await agreed(ask);
    expect(await uses(handed, path)).toEqual([true, true]);
  });

  it('nor may its own workload make another of it', async () => {
    const { access_token: token } = await exported(newPath());
    const narrowed = await broker.exchange(
      token,
      { ...handingOn(agent), actor_token: undefined, actor_token_type: undefined },
      { authorization: `Bearer ${agent}` },
    );
    expectOAuthRefusal(narrowed, 400, 'access_denied', /^People must agree to this first/);
  });
});
