/**
 * GET /aws/credentials/{role}, asked again: boto3 asks anew when ten minutes are left, Go when five are, and when a task has no
 * more than that left, before every call. It gets the session that it has, while that is as good as a new one.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { BUCKET, details, ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import type { Reply } from '../support/calls.js';

const CEILING = { access: JSON.parse(details(`${BUCKET}/tenant-42/*`)) as object[] };

let broker: AwsBroker;
beforeAll(async () => {
  broker = await startAwsBroker({
    aws: { mintsPerSecond: 1_000 },
    config: { limits: { credentialsPerTask: 3, perWorkloadPerMinute: 10_000 } },
  });
});

/** A workload of its own for each test, with a task: none sees what others have done. */
async function agentWithTask(seconds = 600) {
  const sub = `agent-${(count += 1)}`;
  const task = await broker.open(sub, { ...CEILING, deadlineSeconds: seconds });
  const ask = async (query: Record<string, string> = {}, claims: Record<string, string> = {}): Promise<Reply> => {
    const path = `/aws/credentials/${encodeURIComponent(ROLE)}?${String(new URLSearchParams({ task, ...query }))}`;
    return broker.send(path, { headers: { authorization: await broker.identity(sub, claims) } });
  };
  return { sub, task, ask };
}
let count = 0;

const keyOf = ({ status, body, text }: Reply): string => {
  if (status !== 200) throw new Error(`not granted: ${text}`);
  return (body as { AccessKeyId: string }).AccessKeyId;
};
const revoke = async (order: object) =>
  broker.post('/revocations', { reason: 'x', ...order }, await broker.identity('soc'));
const later = async (seconds: number) => {
  await broker.advance(seconds * 1_000);
  await broker.pass(1);
};
/** How many sessions of the task AWS has made. */
const sessionsOf = (task: string) =>
  broker.aws.sessions().filter(({ tags }) => tags['jt'] === task.replace('tsk_', '')).length;

const bearer = async (sub: string) => ({ authorization: `Bearer ${await broker.identity(sub)}` });

describe('a session that is asked for again', () => {
  it('is the same session until the end of the task, however often it is asked for', async () => {
    const { task, ask } = await agentWithTask();
    const key = keyOf(await ask());
    for (let round = 0; round < 25; round += 1) {
      expect(keyOf(await ask())).toBe(key);
      await later(20);
    }
    expect(broker.reads(key)).toBe(true);
    expect(sessionsOf(task)).toBe(1);
  });

  it('is a new session once less than half of the time of a new one is left, and the one before does not count', async () => {
    const { task, ask } = await agentWithTask(3_600);
    const others = ['a', 'b'].map((name) => ({ authorization_details: details(`${BUCKET}/tenant-42/${name}`) }));
    for (const other of others) keyOf(await ask(other));
    let last = '';
    for (let round = 0; round < 20; round += 1) {
      last = keyOf(await ask({ lifetime: '100' }));
      await later(20);
    }
    expect(sessionsOf(task)).toBe(9);
    expect(broker.reads(last)).toBe(true);
    const { status, headers, body: refusal } = await ask({ authorization_details: details(`${BUCKET}/tenant-42/c`) });
    expect(status).toBe(429);
    // SDKs show people the message alone.
    const seconds = headers.get('retry-after') ?? '';
    expect(refusal).toMatchObject({ message: expect.stringMatching(new RegExp(`\\(Retry-After: ${seconds} s\\)$`)) });
  });

  it('is no session that lasts longer than what may be had now', async () => {
    const { ask } = await agentWithTask(3_600);
    const long = keyOf(await ask());
    const { body } = await ask({ lifetime: '60' });
    expect(body).not.toMatchObject({ AccessKeyId: long });
    expect(Date.parse((body as { Expiration: string }).Expiration)).toBe(broker.clock.now() + 60_000);
  });

  it('is no way around the limit of a task, by asking for less and for more in turn', async () => {
    const { task, ask } = await agentWithTask(3_600);
    const statuses: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      for (const lifetime of ['30', '3600']) statuses.push((await ask({ lifetime })).status);
      await broker.pass(1);
    }
    expect(statuses).toContain(429);
    expect(sessionsOf(task)).toBeLessThanOrEqual(6);
  });

  it('leaves the limit of a task as it is for short sessions beside a long one, which have not taken its place', async () => {
    const { task, sub } = await agentWithTask(3_600);
    const under = { purpose: undefined, task_id: task };
    await broker.mint(sub, { ...under, lifetime: '3600' });
    await broker.pass(1);
    for (let count = 0; count < 2; count += 1) await broker.mint(sub, { ...under, lifetime: '30' });
    expect((await broker.session(sub, { ...under, lifetime: '30' })).status).toBe(429);
  });

  it.each<[string, (key: string, sub: string) => Promise<Reply>]>([
    ['a revocation of it', (key) => revoke({ leaked: key })],
    ['its holder, who gave it back', async (token, sub) => broker.form('/revoke', { token }, await bearer(sub))],
    [
      "a cutoff of the workload's sessions of the role",
      (_, sub) => revoke({ selector: { kind: 'target', value: `${ROLE}#lab:${sub}` }, effect: 'cutoff' }),
    ],
    ['an end of the workload', (_, sub) => revoke({ selector: { kind: 'workload', value: `lab:${sub}` } })],
    ['a cutoff of the role', () => revoke({ selector: { kind: 'target', value: ROLE }, effect: 'cutoff' })],
  ])('is no session that was ended by %s', async (_, end) => {
    const { sub, ask } = await agentWithTask();
    const key = keyOf(await ask());
    expect((await end(key, sub)).status).toBe(200);
    expect((await ask()).body).not.toMatchObject({ AccessKeyId: key });
    await broker.pass(15);
    expect((await ask()).body).not.toMatchObject({ AccessKeyId: key });
    expect(broker.reads(key)).toBe(false);
  });

  it('is nothing while the workload is held, and a new session after that, for AWS may deny the old one for a while', async () => {
    const { sub, ask } = await agentWithTask();
    const key = keyOf(await ask());
    const { body } = await revoke({ selector: { kind: 'workload', value: `lab:${sub}` }, effect: 'hold' });
    expect((await ask()).status).toBe(403);
    const { seq } = body as { seq: number };
    await broker.send(`/revocations/${seq}?reason=x`, { method: 'DELETE', headers: await bearer('soc') });
    await broker.pass(15);
    const next = keyOf(await ask());
    expect([next === key, broker.reads(next)]).toEqual([false, true]);
  });

  it('is another session for other access, and for another team: whatever ends what is given ends it', async () => {
    const { ask } = await agentWithTask();
    const key = keyOf(await ask());
    expect(keyOf(await ask({ authorization_details: details(`${BUCKET}/tenant-42/b.txt`) }))).not.toBe(key);
    const theirs = keyOf(await ask({}, { team: 'payments' }));
    expect(theirs).not.toBe(key);
    expect((await revoke({ selector: { kind: 'owner', value: 'payments' } })).status).toBe(200);
    await broker.pass(15);
    expect(broker.reads(theirs)).toBe(false);
  });

  it('is in the audit log as no new credential: the first times of a minute whole, the others counted', async () => {
    const { task, sub, ask } = await agentWithTask();
    await broker.work('refusals');
    for (let round = 0; round < 20; round += 1) keyOf(await ask());
    await broker.work('refusals');
    const { body } = await broker.get(`/audit?workload=lab:${sub}&limit=1000`, await broker.identity('soc'));
    const entries = (body as { lines: string[] }).lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    const [granted, ...more] = entries.filter(({ type }) => type === 'credential.granted');
    const again = entries.filter(({ type }) => type === 'credential.given_again');
    expect([more.length, again.length]).toEqual([0, 10]);
    expect(again[0]).toMatchObject({ credential: granted?.['credential'], task, actor: { id: `lab:${sub}` } });
    const counted = await broker.audited('audit.counted');
    expect(counted).toMatchObject({ counted: { events: [{ type: 'credential.given_again', count: 9 }] } });
  });
});
