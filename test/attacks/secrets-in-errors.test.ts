/** Refusals that quote what was sent would hand a token to whoever reads error logs on the caller's side. */
import { beforeAll, expect, it } from '@jest/globals';
import { startBroker, type TestBroker } from '../support/brokers/http.js';

let broker: TestBroker;
beforeAll(async () => (broker = await startBroker()));

it('no parameter, header or field is quoted, wherever a token is put by mistake', async () => {
  const agent = await broker.identity('agent-7');
  const { body } = await broker.exchange(agent);
  const token = (body as { access_token: string }).access_token;
  const names = [
    'grant_type',
    'subject_token_type',
    'resource',
    'scope',
    'purpose',
    'task_id',
    'lifetime',
    'audience',
    'client_id',
    'authorization_details',
    'requested_token_type',
    'actor_token',
    token,
  ];
  const soc = await broker.identity('soc');
  const replies = [
    ...(await Promise.all(names.map((name) => broker.exchange(agent, { [name]: token })))),
    ...(await Promise.all(['', 'x', 'eyJ'].map((before) => broker.exchange(`${before}${token}`)))),
    await broker.get(`/tasks/${token}`, agent),
    await broker.get(`/audit?task=x&${token}=1`, soc),
    await broker.get(`/revocations/${token}`, soc),
    await broker.post('/revocations', { selector: { kind: token }, reason: 'x' }, soc),
    await broker.post('/revocations', { selector: { kind: 'credential', value: token }, reason: 'x' }, soc),
    await broker.post('/revocations', { leaked: token, reason: 'x', effect: token }, soc),
    await broker.post('/revocations', { leaked: token, reason: 'x', until: token }, soc),
    await broker.post('/tasks', `{"purpose":"${token}",}`, agent),
    await broker.post('/tasks', { [token]: 1 }, agent),
    await broker.post('/tasks', { workload: token, purpose: 'x' }, agent),
    await broker.send(`/${token}`, {}),
    await broker.send('/tasks', { headers: { authorization: token } }),
    await broker.exchange(agent, {}, { 'idempotency-key': `${token} x` }),
  ];
  const [, payload = '', signature = ''] = token.split('.');
  for (const { status, text, headers } of replies) {
    const said = [text, ...headers.values()].join('\n');
    if (status !== 200) expect([said.includes(payload), said.includes(signature)]).toEqual([false, false]);
    expect(status).toBeLessThan(500);
    expect(status === 200 && !text.includes('"access_token"')).toBe(false);
  }
  const logged = broker.logged();
  expect([logged.includes(payload), logged.includes(signature)]).toEqual([false, false]);
});
