/** A token that leaked is seldom found alone. In whatever it is wrapped, it is found and ended; a part of one is refused. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { signedTokensIn } from '../../src/domain/signed-token-in-text.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { expectProblem } from '../support/expect-refusal.js';

let broker: TestBroker;
let agent: string;
let soc: string;
beforeAll(async () => {
  broker = await startBroker();
  agent = await broker.identity('agent-7');
  soc = await broker.identity('soc');
});

const mint = async () => ((await broker.exchange(agent)).body as { access_token: string }).access_token;
const isActive = async (token: string) =>
  ((await broker.introspect(token, await broker.identity('tickets-api'))).body as { active: boolean }).active;

const lines = (token: string, width: number, between: string) =>
  (token.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join(between);

const WRAPPINGS: [string, (token: string) => string][] = [
  ['a header', (token) => `Authorization: Bearer ${token}\r\n`],
  ['a command', (token) => `curl -H "Authorization: Bearer ${token}" https://tickets.example/incident/4711`],
  ['a query', (token) => `https://x.example/cb?access_token=${token}&state=eyJhIjoxfQ`],
  ['a fragment', (token) => `https://x.example/#access_token=${token}`],
  ['JSON', (token) => JSON.stringify({ access_token: token, token_type: 'Bearer' })],
  ['JSON in JSON', (token) => JSON.stringify({ body: JSON.stringify({ access_token: token }) })],
  ['escapes of JSON', (token) => `"${token.replaceAll('.', '\\u002e').replaceAll('_', '\\u005F')}"`],
  ['percent signs', (token) => `?t=${token.replaceAll('.', '%2E').replaceAll('-', '%2d')}`],
  ['percent signs of percent signs', (token) => `?next=${encodeURIComponent(`?t=${token.replaceAll('.', '%2E')}`)}`],
  ['every character as percent', (token) => token.replaceAll(/./g, (one) => `%${one.charCodeAt(0).toString(16)}`)],
  ['lines', (token) => `the token:\n${lines(token, 64, '\r\n')}\nwas in a log`],
  ['escaped lines', (token) => `"${lines(token, 70, '\\n')}"`],
  ['a quoted mail', (token) => `> it is ${lines(token, 60, '\n> ')} and no other`],
  ['soft line breaks', (token) => lines(token, 73, '=\r\n')],
  ['a string that is put together', (token) => `const t = "${lines(token, 50, '" +\n  "')}";`],
  ['blanks that nobody sees', (token) => lines(token, 20, '\u200b')],
  ['a password', (token) => `Authorization: Basic ${Buffer.from(`agent:${token}`).toString('base64')}`],
  ['a name in front', (token) => `token_${token}`],
  ['a word behind', (token) => `${token}and_more`],
  ['parts behind', (token) => `${token}.eyJh.b`],
  ["another issuer's token", (token) => `${agent} ${token} ${agent}`],
];

describe.each(WRAPPINGS)('in %s', (_, wrap) => {
  it('a leaked token is found, and ended', async () => {
    const token = await mint();
    const reply = await broker.post('/revocations', { leaked: wrap(token), reason: 'found' }, soc);
    expect([reply.status, reply.body]).toMatchObject([200, { affected: { credentials: 1 } }]);
    expect(await isActive(token)).toBe(false);
  });

  it('its holder gives it back', async () => {
    const token = await mint();
    const reply = await broker.form('/revoke', { token: wrap(token) }, { authorization: `Bearer ${agent}` });
    expect([reply.status, reply.text]).toEqual([200, '']);
    expect(await isActive(token)).toBe(false);
  });
});

it('a part of a token, a changed one and a foreign one are refused, and a second token is not passed over', async () => {
  const [token, other] = [await mint(), await mint()];
  const [header, payload, signature] = token.split('.');
  for (const leaked of [
    token.slice(0, -1),
    `${header}.${payload}.`,
    `${payload}.${signature}`,
    `${header}.${payload}.${signature?.replace(/^./, (one) => (one === 'A' ? 'B' : 'A'))}`,
    agent,
  ])
    expectProblem(
      await broker.post('/revocations', { leaked, reason: 'x' }, soc),
      400,
      'invalid_request',
      /no valid token of this broker/,
    );
  const both = await broker.post('/revocations', { leaked: `${token}\n${other}`, reason: 'x' }, soc);
  expectProblem(both, 400, 'invalid_request', /several credentials of this broker: crd_\w+, crd_\w+\./);
  expect([await isActive(token), await isActive(other)]).toEqual([true, true]);
  await broker.form('/revoke', { token: `${token}, ${other}` }, { authorization: `Bearer ${agent}` });
  expect([await isActive(token), await isActive(other)]).toEqual([false, false]);
});

it('a token behind many foreign ones is neither called absent nor given back', async () => {
  const token = await mint();
  const [header, payload = ''] = token.split('.');
  const foreign = Array.from({ length: 20 }, (_, at) => `${header}.${payload}.${String(at).padStart(86, 'A')}`);
  const reply = await broker.post(
    '/revocations',
    { leaked: [...foreign, token].join('\n').slice(-16_000), reason: 'x' },
    soc,
  );
  expectProblem(reply, 400, 'invalid_request', /more than 8 tokens/);
  const given = await broker.form(
    '/revoke',
    { token: [...foreign.slice(0, 9), token].join('\n') },
    { authorization: `Bearer ${agent}` },
  );
  expect([given.status, given.body]).toMatchObject([400, { error: 'invalid_request' }]);
  expect(await isActive(token)).toBe(true);
});

it('a token is found in any text around it', async () => {
  const token = await mint();
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (before, after) =>
      signedTokensIn(`${before}${token}${after}`).includes(token),
    ),
  );
});
