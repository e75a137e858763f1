/** Introspection as an oracle: whatever is not a live token for a caller who may ask is answered in the very same bytes. */
import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { startBroker, TICKETS, WIKI } from '../support/brokers/http.js';
import { forgeToken } from '../support/issuers/issuer.js';

it('why a token is inactive cannot be seen in the answer', async () => {
  const broker = await startBroker({
    policies: `@id("wiki") permit (principal in Owner::"sre", action in Action::"access", resource in Target::"${WIKI}");`,
  });
  const [agent, soc, api] = await Promise.all(['agent-7', 'soc', 'tickets-api'].map((sub) => broker.identity(sub)));
  const exchanged = async (wish: Record<string, string> = {}) =>
    (await broker.exchange(agent ?? '', wish)).body as { access_token: string; task_id: string };
  const [revoked, returned, completed, live] = await Promise.all([1, 2, 3, 4].map(() => exchanged()));
  const elsewhere = await exchanged({ resource: WIKI, scope: 'page/1:read' });
  const short = await exchanged({ lifetime: '1' });
  await broker.post('/revocations', { leaked: revoked?.access_token, reason: 'x' }, soc);
  await broker.form('/revoke', { token: returned?.access_token }, { authorization: `Bearer ${agent}` });
  await broker.post(`/tasks/${completed?.task_id}/complete`, { outcome: 'completed' }, agent);
  await broker.advance(1_000);
  const [header = '', payload = '', signature = ''] = (live?.access_token ?? '').split('.');

  const ask = async (token: string, bearer = api) => {
    const reply = await broker.form(
      '/introspect',
      { token },
      { authorization: `Bearer ${bearer}`, 'x-request-id': 'same' },
    );
    const headers = [...reply.headers].filter(([name]) => name !== 'date');
    return { status: reply.status, text: reply.text, headers };
  };
  expect((await ask(live?.access_token ?? '')).text).toContain('"active":true');
  const nobody = await broker.identity('nobody', { team: 'none' });
  const answers = await Promise.all([
    ask('x'),
    ask(agent ?? ''), // an identity token
    ask(revoked?.access_token ?? ''),
    ask(returned?.access_token ?? ''),
    ask(completed?.access_token ?? ''),
    ask(short.access_token),
    ask(elsewhere.access_token), // alive, but not for this caller to ask about
    ask(live?.access_token ?? '', nobody), // a caller that policy does not let ask
    ask(`${header}.${payload}.${randomBytes(64).toString('base64url')}`),
    ask(`${live?.access_token}=`),
    ask(`${header}.${payload}.${signature}.${signature}`),
    ask(forgeToken({ alg: 'none', typ: 'at+jwt' }, { aud: TICKETS }, () => '')),
    ask('eyJ'.repeat(5_000)),
  ]);
  expect(answers.map(({ text }) => text)).toEqual(answers.map(() => '{"active":false}'));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
});
