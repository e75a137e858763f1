/**
 * A token that leaked is seldom found alone. In whatever it is wrapped, it is found and ended, and it is not kept where somebody
 * pastes it into a reason; a part of one is refused.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { deferralCode } from '../../src/domain/deferral-code.js';
import { newId } from '../../src/domain/id.js';
import { ownTokensIn } from '../../src/domain/own-tokens-in-text.js';
import { withoutTokens } from '../../src/domain/token-in-text.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { expectProblem } from '../support/expect-refusal.js';

let broker: TestBroker;
let agent: string;
let soc: string;
let api: string;
beforeAll(async () => {
  broker = await startBroker();
  agent = await broker.identity('agent-7');
  soc = await broker.identity('soc');
  api = await broker.identity('tickets-api');
});

interface Question {
  deferral_code: string;
  approval_id: string;
}
let question: Promise<Question>;
beforeAll(() => {
  const asked = broker.exchange(agent, { scope: 'incident/1:export', completion_mode: 'deferred' });
  question = asked.then(({ body }) => body as Question);
});

const mint = async () => ((await broker.exchange(agent)).body as { access_token: string }).access_token;
const isActive = async (token: string) => ((await broker.introspect(token, api)).body as { active: boolean }).active;

const lines = (token: string, width: number, between: string) =>
  (token.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).join(between);

const base64 = (text: string) => Buffer.from(text).toString('base64');
const eachDot = (by: string) => (token: string) => `it is ${token.replaceAll('.', by)} there`;
/** Each character as another tool writes it. */
const each = (write: (hex: string, code: number) => string) => (token: string) =>
  token.replaceAll(/./g, (one) => write(one.charCodeAt(0).toString(16), one.charCodeAt(0)));
/** Lines, each after what a tool puts before it. */
const prefixed =
  (prefix: (line: number) => string, width = 60) =>
  (token: string) =>
    (token.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).map((part, at) => `${prefix(at + 1)}${part}\n`).join('');
const SECRET = 'apiVersion: v1\nkind: Secret\ndata:\n  user: YWdlbnQ=\n  token: ';

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
  ['every character as percent', each((hex) => `%${hex}`)],
  ['every character as JSON', each((hex) => `\\u00${hex}`)],
  ['every character as HTML', each((_, code) => `&#${code};`)],
  ['dots of JSON in JSON', eachDot('\\\\u002e')],
  ['dots of a program', eachDot('\\x2e')],
  ['dots of HTML', eachDot('&#46;')],
  ['hexadecimal dots of HTML', eachDot('&#x2E;')],
  ['dots of HTML in HTML', eachDot('&amp;#46;')],
  ['dots of a mail', eachDot('=2E')],
  ['dots that open no link', eachDot('[.]')],
  ['dots three times encoded', eachDot('%25252E')],
  ['a space every 60 characters', (token) => `saw ${lines(token, 60, ' ')} there`],
  ['encoded lines', (token) => `t=${lines(token, 60, '%0D%0A')}`],
  ['lines encoded twice', (token) => `t=${lines(token, 60, '%250d%250a%2509')}`],
  ['lines of JSON', (token) => `"${lines(token, 60, '\\u000d\\u000a')}"`],
  ['encoded blanks that nobody sees', (token) => lines(token, 60, '%E2%80%8B')],
  ['lines of HTML', (token) => `<p>${lines(token, 60, '<br>\n')}</p>`],
  ['places where HTML may break', (token) => lines(token, 60, '<wbr/>')],
  ['escaped tags', (token) => lines(token, 60, '&lt;br class="x"&gt;')],
  ['colours', (token) => `\u001b[1;31m${lines(token, 60, '\u001b[0m\u001b[31m')}\u001b[m`],
  ['written colours', (token) => `^[[1m${lines(token, 60, '^[[0m')}`],
  ['colours of JSON', (token) => `"${lines(token, 60, '\\u001b[0m')}"`],
  ['soft line breaks with escapes', (token) => lines(token.replaceAll('.', '=2E'), 73, '=\n')],
  ['numbered lines', prefixed((line) => `${line}: `)],
  ['lines of cat -n', prefixed((line) => `     ${line}\t`)],
  ['lines of grep -n', prefixed((line) => `app.log:${line}:`)],
  ['lines of a log', prefixed((line) => `2026-11-27T22:00:0${line}.000Z app[12] INFO `)],
  ['lines that diff took away', prefixed(() => '-')],
  ['lines that diff added', prefixed(() => '+')],
  ['a list of YAML', prefixed(() => '  - ')],
  ['base64', base64],
  ['base64 without padding, for URLs', (token) => `?d=${Buffer.from(`x${token}`).toString('base64url')}&e=1`],
  ['base64 in lines', (token) => `data:\n  ${lines(base64(token), 76, '\n  ')}\n`],
  ['numbered lines of base64', (token) => prefixed((line) => `${line}: `)(base64(token))],
  [
    'base64 in a URL in JSON',
    (token) => JSON.stringify({ u: `https://x.example/?d=${encodeURIComponent(base64(token))}` }),
  ],
  ['the data of a Kubernetes secret', (token) => `${SECRET}${base64(token)}\n`],
  [
    'the auth of a docker configuration',
    (token) => JSON.stringify({ auths: { x: { auth: base64(`agent:${token}`) } } }),
  ],
  ['a URL of data', (token) => `<img src="data:text/plain;base64,${base64(token)}">`],
  ['percent signs in base64', (token) => `x ${base64(`t=${token.replaceAll('.', '%2E')}`)} y`],
  ['a broken line in base64', (token) => base64(lines(token, 60, '\n'))],
  ['a password in a form', (token) => `authorization=basic+${encodeURIComponent(base64(`agent:${token}`))}`],
  ['a password in broken lines', (token) => `Authorization: Basic\r\n ${lines(base64(`agent:${token}`), 64, '\r\n ')}`],
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
  it('a deferral code is found, and no reason keeps it', async () => {
    const { deferral_code: code, approval_id: id } = await question;
    const leaked = { leaked: wrap(code), reason: 'found', dryRun: true };
    const reply = await broker.post('/revocations', leaked, soc);
    expect(reply.body).toMatchObject({ dryRun: true, approval: { id, state: 'pending', workload: 'lab:agent-7' } });
    const kept = withoutTokens(wrap(code));
    expect(kept).toContain('[token removed]');
    expect(kept.replaceAll('[token removed]', '').length).toBeLessThan(100);
    expect(ownTokensIn(kept)).toEqual([]);
  });

  it('a leaked token is found, its holder gives it back, and no reason keeps it', async () => {
    const token = await mint();
    const leaked = { leaked: wrap(token), reason: 'found', dryRun: true };
    expect((await broker.post('/revocations', leaked, soc)).body).toMatchObject({ affected: { credentials: 1 } });
    const reply = await broker.form('/revoke', { token: wrap(token) }, { authorization: `Bearer ${agent}` });
    expect([reply.status, reply.text]).toEqual([200, '']);
    expect(await isActive(token)).toBe(false);
    for (const secret of [token, agent]) {
      const kept = withoutTokens(wrap(secret));
      expect(kept).toContain('[token removed]');
      expect(kept.replace('[token removed]', '').length).toBeLessThan(100);
    }
  });
});

it('a leaked token is ended, and one in the reason stands neither in the receipt nor in the list', async () => {
  const token = await mint();
  const reason = `saw ${agent.replaceAll('.', '%2E')}`;
  const body = { leaked: encodeURIComponent(lines(token, 60, '\n')), reason, ticket: 'T1' };
  const reply = await broker.post('/revocations', body, soc);
  expect([reply.status, reply.body]).toMatchObject([200, { reason: '[token removed]', affected: { credentials: 1 } }]);
  expect(await isActive(token)).toBe(false);
  for (const path of ['/revocations', '/audit'])
    expect((await broker.get(path, soc)).text).not.toContain(agent.split('.')[2]);
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
  const code = deferralCode(newId('apr'), Buffer.alloc(32, 'x'));
  for (const secret of [token, code])
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (before, after) =>
        ownTokensIn(`${before}${secret}${after}`).includes(secret),
      ),
    );
});
