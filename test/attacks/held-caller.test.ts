/** A caller that is held or was cut off tries everything else that its identity token is good for. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { startBroker, type TestBroker } from '../support/brokers/http.js';

const OPERATORS = ['soc', 'orchestrator', 'tickets-api', 'agent-7'];
let broker: TestBroker;
beforeEach(
  async () =>
    (broker = await startBroker({
      policies: '@id("second-soc") permit (principal == Workload::"lab:soc-2", action == Action::"revoke", resource);',
    })),
);

/** Every verb there is, by an identity that policy lets use it. */
async function everyVerb(iat: number): Promise<Record<string, number>> {
  const [soc = '', boss = '', api = '', agent = ''] = await Promise.all(
    OPERATORS.map((sub) => broker.identity(sub, { iat, exp: iat + 36_000 })),
  );
  const status = async (reply: Promise<{ status: number }>) => (await reply).status;
  const task = await status(broker.post('/tasks', { workload: 'lab:agent-7', purpose: 'x' }, boss));
  return {
    token: await status(broker.exchange(agent)),
    task,
    complete: await status(broker.post('/tasks/tsk_aabbbbbbbbbbbbbb/complete', { outcome: 'failed' }, boss)),
    returned: await status(broker.form('/revoke', { token: 'x' }, { authorization: `Bearer ${agent}` })),
    preview: await status(broker.post('/revocations', { selector: { kind: 'all' }, reason: 'x', dryRun: true }, soc)),
    tasks: await status(broker.get('/tasks?workload=lab:nobody', soc)),
    run: await status(broker.post('/runs/complete', { issuer: 'lab', run: 'r' }, boss)),
    feed: await status(broker.get('/revocations/feed', api)),
    revocations: await status(broker.get('/revocations', soc)),
    lift: await status(broker.remove('/revocations/1', soc)),
    audit: await status(broker.get('/audit', soc)),
    credential: await status(broker.get('/credentials/crd_aabbbbbbbbbbbbbb', soc)),
    introspect: await status(broker.introspect('x', api)),
  };
}
const REFUSED = {
  token: 400,
  task: 403,
  complete: 403,
  returned: 400,
  preview: 403,
  tasks: 403,
  run: 403,
  feed: 403,
  revocations: 403,
  lift: 403,
  audit: 403,
  credential: 403,
  introspect: 200,
};
const seconds = () => Math.floor(broker.clock.now() / 1000);
const revoke = async (kind: string, value: string, effect: string) =>
  broker.post(
    '/revocations',
    { selector: { kind, value }, effect, reason: 'x', unseen: true },
    await broker.identity('soc-2', { team: 'ops' }),
  );

describe('no verb is left', () => {
  it.each([
    ['owner', 'sre', 'hold'],
    ['issuer', 'lab', 'hold'],
    ['owner', 'sre', 'cutoff'],
  ])('to those of %s %s after a %s, with the identity token they had', async (kind, value, effect) => {
    const iat = seconds();
    await broker.advance(60_000);
    expect((await revoke(kind, value, effect)).status).toBe(200);
    expect(await everyVerb(iat)).toEqual(REFUSED);
  });

  it('to a token that was cut off, though it claims to be from later, or does not say', async () => {
    await revoke('workload', 'lab:agent-7', 'cutoff');
    for (const iat of [seconds(), seconds() + 4, undefined]) {
      expect((await broker.exchange(await broker.identity('agent-7', { iat }))).status).toBe(400);
    }
    await broker.advance(10_000);
    expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(200);
  });
});

describe('a person who was cut off, or is held', () => {
  const forAda = async (iat: number) => ({
    subject_token: await broker.person('ada', { iat, exp: iat + 36_000 }),
    actor_token: await broker.identity('agent-7'),
    actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  });
  const agent = '';

  it('is spoken for by no token from before, whatever workload presents it', async () => {
    const iat = seconds();
    await broker.advance(60_000);
    const stolen = await forAda(iat);
    expect((await broker.exchange(agent, stolen)).status).toBe(200);
    await revoke('principal', 'staff:ada', 'cutoff');
    expect((await broker.exchange(agent, stolen)).body).toMatchObject({ retry: 'later' });
    await broker.advance(10_000);
    expect((await broker.exchange(agent, await forAda(iat))).status).toBe(400);
    expect((await broker.exchange(agent, await forAda(seconds()))).status).toBe(200);
  });

  it('is spoken for by nothing while the issuer is held', async () => {
    await revoke('issuer', 'staff', 'hold');
    await broker.advance(10_000);
    expect((await broker.exchange(agent, await forAda(seconds()))).status).toBe(400);
  });
});

it('a hold of everything does not lock operators out', async () => {
  const soc = await broker.identity('soc-2');
  const { body } = await broker.post('/revocations', { selector: { kind: 'all' }, reason: 'x' }, soc);
  const { seq } = body as { seq: number };
  expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(400);
  expect((await broker.remove(`/revocations/${seq}`, soc)).status).toBe(200);
  expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(200);
});
