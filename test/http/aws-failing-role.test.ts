/** A role whose deny policy cannot be written: ends there wait and say so, operators see it, and nothing new is minted there. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  BUCKET,
  details,
  OTHER_ROLE,
  ROLE,
  startAwsBroker,
  type AwsBroker,
  type Minted,
} from '../support/brokers/http-aws.js';
import { calls, type Calls } from '../support/calls.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';

const ELSEWHERE = { resource: OTHER_ROLE, authorization_details: details(`${BUCKET}/a`, undefined, OTHER_ROLE) };
const PUT = 'PutRolePolicy';

let broker: AwsBroker;
let operations: Calls;
let keys: Minted;
beforeAll(async () => {
  broker = await startAwsBroker();
  operations = calls(broker.operationsUrl);
  keys = await broker.mint('agent-7');
  const denied = { kind: 'error', code: 'AccessDenied', message: 'canary', status: 403 } as const;
  broker.aws.faults.always((operation) => (operation === PUT ? denied : undefined));
  await broker.complete(keys.taskId);
  await broker.pass(1);
});

const endOf = async () =>
  ((await broker.get(`/credentials/${keys.id}`, await broker.identity('soc'))).body as { end?: object }).end;
const readiness = async () => {
  const { status, body } = await operations.get('/health/ready');
  const { status: is, checks } = body as { status: string; checks: { name: string; ok: boolean; reason?: string }[] };
  return { status, is, targets: checks.find(({ name }) => name === 'targets') };
};

describe('while IAM refuses', () => {
  it('what is dead waits for the target, bounded by its deadline, and is not called revoked', async () => {
    expect(await endOf()).toEqual({ effect: 'pending', boundedBySeconds: 899, waitsFor: 'target' });
    expect(broker.reads(keys.accessKeyId)).toBe(true);
  });

  it('readiness is degraded, not gone: other brokers cannot write there either', async () => {
    expect(await readiness()).toMatchObject({
      ...{ status: 200, is: 'degraded' },
      targets: { ok: false, reason: `revocations cannot be written to ${ROLE}` },
    });
  });

  it('minting of the role goes on for half a minute, and then stops, of that role alone', async () => {
    await broker.pass(29);
    expect((await broker.session('agent-7')).status).toBe(200);
    await broker.pass(1);
    const minted = broker.aws.sessions().length;
    const reply = await broker.session('agent-7');
    expectOAuthRefusal(reply, 503, 'temporarily_unavailable', /cannot be enforced at this target now/);
    expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(broker.aws.sessions()).toHaveLength(minted);
    expect((await broker.session('agent-7', ELSEWHERE)).status).toBe(200);
  });

  it('it is tried again with growing pauses, by one line of log and one audit entry for the whole of it', async () => {
    // At 0, 1, 3, 7, 15 and 25 seconds.
    const refused = broker.aws.calls(PUT) - broker.aws.writes(ROLE).length - broker.aws.writes(OTHER_ROLE).length;
    expect(refused).toBe(6);
    expect(broker.logged().match(/revocations cannot be pushed to the target/g)).toHaveLength(1);
    expect(broker.logged()).not.toContain('canary');
    const { body } = await broker.get('/audit?type=target.sync_failed', await broker.identity('soc'));
    expect(body).toHaveProperty('lines.length', 1);
    expect(await broker.audited('target.sync_failed')).toHaveProperty('target', ROLE);
  });

  it('the log says what the revoker must be allowed', () => {
    expect(broker.logged()).toMatch(/"what":"deny-policy".*aws\.revokerRole must be allowed iam:PutRolePolicy/);
  });

  it('the metrics say for how long, and how often', async () => {
    const { text } = await operations.get('/metrics');
    expect(text).toMatch(new RegExp(`mayfly_target_sync_failing_seconds{target="${ROLE}"} (2[5-9]|30)`));
    expect(text).toContain(`mayfly_target_writes_total{target="${ROLE}",result="failed"} 6`);
    expect(text).toContain('mayfly_minter_warnings_total{what="deny-policy"} 6');
    expect(text).toMatch(/mayfly_readiness\{check="targets"\} 0/);
  });
});

describe('once IAM takes it', () => {
  it('within ten seconds it is written, minting goes on, and all of it is well again', async () => {
    broker.aws.faults.clear();
    await broker.pass(10);
    expect(await endOf()).toMatchObject({ effect: 'written', waitsFor: 'propagation' });
    await broker.pass(5);
    expect(broker.reads(keys.accessKeyId)).toBe(false);
    expect((await broker.session('agent-7')).status).toBe(200);
    expect(await readiness()).toMatchObject({ status: 200, is: 'ready', targets: { ok: true } });
    const { text } = await operations.get('/metrics');
    expect(text).toContain(`mayfly_target_sync_failing_seconds{target="${ROLE}"} 0`);
    await broker.pass(15);
    expect(await endOf()).toEqual({ effect: 'effective' });
  });
});
