/** When STS refuses, or does not answer: what the caller gets, what the log says, and how long AWS is not asked again. */
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { agentRole, revokerRole } from '../../fakes/aws/example-roles.js';
import type { Fault } from '../../fakes/aws/faults.js';
import {
  EXAMPLE,
  OTHER_ROLE,
  BUCKET,
  details,
  ROLE,
  startAwsBroker,
  type AwsBroker,
} from '../support/brokers/http-aws.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';

const STS = 'AssumeRoleWithWebIdentity';
const ELSEWHERE = { resource: OTHER_ROLE, authorization_details: details(`${BUCKET}/a`, undefined, OTHER_ROLE) };

let broker: AwsBroker;
beforeAll(async () => (broker = await startAwsBroker()));
afterEach(async () => {
  broker.aws.faults.clear();
  await broker.advance(30_000);
  await broker.pass(1);
});

const always = (fault: Fault) => broker.aws.faults.always((operation) => (operation === STS ? fault : undefined));
/** Lines of the log that say what an operator must do. */
const advice = (from: AwsBroker = broker) =>
  from
    .logged()
    .split('\n')
    .filter((line) => line.includes('"what"'))
    .map((line) => JSON.parse(line) as { what: string; msg: string; target: string; answer: string });
const sessionsOf = (role: string) => broker.aws.sessions().filter((session) => session.role === role);
/** A denial is written by the next run of the schedule. */
const denied = async (role: string) => {
  await broker.pass(1);
  return JSON.stringify(broker.aws.policyOf(role));
};

describe('STS that takes no more requests', () => {
  it('is a 503 that says when to ask again, and until then it is not asked', async () => {
    always({ kind: 'throttle' });
    const reply = await broker.session('agent-7');
    expectOAuthRefusal(reply, 503, 'temporarily_unavailable', /takes no more requests/);
    expect(reply.headers.get('retry-after')).toBe('2');
    expect(reply.body).toHaveProperty('retry', 'later');
    expect(advice().at(-1)).toMatchObject({ what: 'throttled', target: ROLE });
    const calls = broker.aws.calls(STS);
    const again = await broker.session('agent-7');
    expectOAuthRefusal(again, 503, 'temporarily_unavailable', /takes no more requests/);
    expect(broker.aws.calls(STS)).toBe(calls);
    broker.aws.faults.clear();
    await broker.advance(2_000);
    expect((await broker.session('agent-7')).status).toBe(200);
  });

  it('for one role is none for another', async () => {
    always({ kind: 'throttle' });
    await broker.session('agent-7');
    broker.aws.faults.clear();
    expect((await broker.session('agent-7', ELSEWHERE)).status).toBe(200);
  });
});

describe('STS that is down', () => {
  it.each<[string, Fault]>([
    ['with a 5xx', { kind: 'status', status: 503 }],
    ['with a connection that breaks', { kind: 'reset' }],
    ['with no answer at all', { kind: 'hang' }],
  ])('%s is a 503, and what may have been made is denied', async (_, fault) => {
    always(fault);
    const [before, calls] = [sessionsOf(ROLE).length, broker.aws.calls(STS)];
    const reply = await broker.session('agent-7');
    expectOAuthRefusal(reply, 503, 'temporarily_unavailable', /does not answer/);
    expect(broker.aws.calls(STS) - calls).toBeLessThanOrEqual(3);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(sessionsOf(ROLE)).toHaveLength(before);
    const entry = await broker.audited('revocation.published');
    expect(entry).toMatchObject({ reason: 'the exchange that reserved it failed' });
    const { selector } = entry!['revocation'] as { selector: { value: string } };
    broker.aws.faults.clear();
    expect(await denied(ROLE)).toContain(selector.value.replace('crd_', ''));
  });

  it('for a moment is not noticed by the caller', async () => {
    broker.aws.faults.queue(STS, [{ kind: 'status', status: 500 }]);
    expect((await broker.session('agent-7')).status).toBe(200);
  });
});

it('keys that AWS cannot fetch for a moment are fetched again', async () => {
  const message = "Couldn't retrieve verification key from your identity provider, please reference documentation";
  broker.aws.faults.queue(STS, [{ kind: 'error', code: 'InvalidIdentityToken', message, status: 400 }]);
  expect((await broker.session('agent-7')).status).toBe(200);
});

it("a session larger than AWS packs is the caller's to make smaller, and nobody else waits for it", async () => {
  const message = 'Packed policy consumes 112% of allotted space, please use smaller policy.';
  broker.aws.faults.queue(STS, [{ kind: 'error', code: 'PackedPolicyTooLarge', message, status: 400 }]);
  const reply = await broker.session('agent-7');
  expectOAuthRefusal(reply, 400, 'invalid_target', /take 112% of what a session has room for/);
  expect(reply.body).toHaveProperty('retry', 'with-less');
  expect(await broker.audited('credential.refused')).toMatchObject({ error: 'invalid_target' });
  expect((await broker.session('agent-7')).status).toBe(200);
});

it('nothing of what AWS says gets further than the name of its error', async () => {
  const message = 'Not authorized: canary-of-aws eyJhbGciOi.canary';
  broker.aws.faults.queue(STS, [{ kind: 'error', code: 'AccessDenied', message, status: 403 }]);
  const reply = await broker.session('agent-7');
  expect([reply.text, broker.logged()].join()).not.toContain('canary');
  expect(advice().at(-1)?.answer).toMatch(/^STS: AccessDenied, HTTP 403/);
});

describe('an account that is not set up', () => {
  it('trusts somebody else: the answer says so, the log says what to change, and AWS is asked once', async () => {
    const stranger = { ...EXAMPLE, audience: 'somebody.else' };
    const roles = [agentRole(stranger), agentRole(EXAMPLE, 'agent-1'), revokerRole(EXAMPLE)];
    const other = await startAwsBroker({ roles });
    const before = other.aws.calls(STS);
    const reply = await other.session('agent-7');
    expectOAuthRefusal(reply, 400, 'invalid_target', 'The broker cannot get sessions of this role.');
    expect(reply.body).toHaveProperty('retry', 'never');
    expect(advice(other)).toMatchObject([
      { what: 'trust-policy', target: ROLE, msg: expect.stringContaining('sts:SetSourceIdentity') },
    ]);
    expect(await other.audited('credential.refused')).toMatchObject({ error: 'invalid_target', target: ROLE });

    for (let asked = 0; asked < 3; asked += 1)
      expectOAuthRefusal(await other.session('agent-7'), 400, 'invalid_target', /cannot get sessions/);
    expect(other.aws.calls(STS)).toBe(before + 1);
    expect(advice(other)).toHaveLength(1);
    expect((await other.session('agent-7', ELSEWHERE)).status).toBe(200);
    await other.advance(30_000);
    await other.pass(1);
    await other.session('agent-7');
    expect(other.aws.calls(STS)).toBe(before + 3);
    // Nothing was made, so nothing is denied.
    expect(JSON.stringify(other.aws.policyOf(ROLE))).not.toContain('aws:PrincipalTag/jc');
  });

  it('keeps sessions for less than the broker thinks: a failure, whose cause the log names', async () => {
    const roles = [{ ...agentRole(EXAMPLE), maxSessionSeconds: 1_800 }, agentRole(EXAMPLE, 'agent-1')];
    const other = await startAwsBroker({ roles: [...roles, revokerRole(EXAMPLE)] });
    const reply = await other.session('agent-7', { lifetime: '3600' });
    expectOAuthRefusal(reply, 500, 'server_error');
    expect(advice(other)).toMatchObject([
      { what: 'refused-as-malformed', msg: expect.stringContaining('aws.lifetimeMax') },
    ]);
    expect((await other.session('agent-7', { lifetime: '1800' })).status).toBe(200);
  });
});

describe("an STS whose clock is not the broker's", () => {
  it('gives nobody a session: the one it made is denied, the log says why, and nothing is minted for the role', async () => {
    let aheadMs = 0;
    const apart = await startAwsBroker({ aheadMs: () => aheadMs });
    aheadMs = 5_000;
    const reply = await apart.session('agent-7');
    expectOAuthRefusal(reply, 503, 'temporarily_unavailable', /disagree about the time/);
    expect(reply.headers.get('retry-after')).toBe('30');
    expect(advice(apart).at(-1)).toMatchObject({ what: 'clock', target: ROLE });
    const made = apart.aws.sessions().filter(({ role }) => role === ROLE);
    expect(made).toHaveLength(1);
    await apart.pass(5);
    expect(made.map(({ id }) => apart.reads(id))).toEqual([false]);
    const calls = apart.aws.calls(STS);
    expectOAuthRefusal(await apart.session('agent-7'), 503, 'temporarily_unavailable', /disagree about the time/);
    expect(apart.aws.calls(STS)).toBe(calls);
  });
});
