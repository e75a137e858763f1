/** Every secret of a whole story is planted with a known value, and then looked for in everything the broker ever wrote. */
import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { startProcess } from '../support/brokers/process.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

it('G7: no token, no key and no password is in any log, audit line, metric or error', async () => {
  const password = `canary-${randomBytes(12).toString('hex')}`;
  const kek = randomBytes(32).toString('hex');
  const redis = await startRedis({ requirepass: '' });
  await redis.send('CONFIG', 'SET', 'requirepass', password);
  const broker = await startProcess({
    config: { log: { level: 'debug' } },
    env: { REDIS_URL: redis.url.replace('://', `://:${password}@`), MAYFLY_KEY_ENCRYPTION_KEY: kek },
  });
  const answers: string[] = [];
  const secrets = [password, kek, Buffer.from(kek, 'hex').toString('base64url')];
  const plant = (token: string) => (secrets.push(...token.split('.').slice(1)), token);
  const hear = <R extends { text: string }>(reply: R): R => (answers.push(reply.text), reply);

  const identity = plant(await broker.identity('agent-7', { jti: 'canary-claim' }));
  const [soc, api, boss] = (
    await Promise.all(['soc', 'tickets-api', 'orchestrator'].map((sub) => broker.identity(sub)))
  ).map(plant);
  const stale = plant(await broker.identity('agent-7', { expiresInSeconds: -60 }));
  const { body } = await broker.exchange(identity); // The one answer that must hold a secret.
  const { access_token: token, task_id: task } = body as { access_token: string; task_id: string };
  plant(token);

  hear(await broker.exchange(identity, { scope: 'customer/1:read' }));
  hear(await broker.exchange(stale));
  hear(await broker.exchange(token));
  hear(await broker.exchange(identity, { purpose: token }));
  hear(await broker.exchange(identity, { scope: `${token}:read` }));
  hear(await broker.exchange(identity, { resource: token }));
  hear(await broker.exchange(identity, { client_id: identity }));
  hear(
    await broker.form('/token', [
      ['subject_token', identity],
      ['subject_token', identity],
    ]),
  );
  hear(await broker.introspect(`${token}x`, api ?? ''));
  hear(await broker.form('/introspect', { token }, { authorization: `Basic ${identity}` }));
  hear(await broker.get(`/tasks/${token}`, boss));
  hear(await broker.get(`/tasks/${task}?token=${token}`, boss));
  hear(await broker.get('/audit', token));
  hear(await broker.get(`/${identity}`, soc, { 'x-request-id': identity, 'idempotency-key': token }));
  hear(await broker.post('/tasks', `{"workload":"${token}"`, boss));
  hear(await broker.post('/tasks', { workload: 'lab:x', purpose: 'x', [token]: token }, boss));
  hear(await broker.post('/revocations', { leaked: token, reason: `found ${identity}` }, soc));
  hear(await broker.post('/revocations', { selector: { kind: 'workload', value: token }, reason: 'x' }, soc));
  hear(await broker.get('/revocations', soc));
  hear(await broker.get('/jwks'));
  expect(hear(await broker.get('/audit?limit=1000', soc)).text).toContain('revocation.published');
  await redis.kill();
  hear(await broker.exchange(identity));
  hear(await broker.introspect(token, api ?? ''));
  await until(async () => (await broker.operations.get('/health/ready')).status === 503, 'still ready');
  hear(await broker.operations.get('/health/ready'));
  hear(await broker.operations.get('/metrics'));
  const logged = broker.output();
  const searched = [logged, ...answers].join('\n');

  expect(logged).toMatch(/"level":"debug"/);
  expect(secrets.filter((secret) => secret.length < 20)).toEqual([]);
  for (const secret of secrets)
    expect([secret.slice(0, 6), searched.includes(secret)]).toEqual([secret.slice(0, 6), false]);
});
