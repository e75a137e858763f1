/** Whoever has a signing key can write anything into a token, but nothing into the ledger: introspection accepts a token only if both agree. */
import { isDeepStrictEqual } from 'node:util';
import { expect, it } from '@jest/globals';
import { decodeJwt, type JWTPayload } from 'jose';
import { requesterByCredential } from '../../src/authorization/requester.js';
import { evaluate } from '../../src/credentials/evaluate.js';
import { returnToken } from '../../src/credentials/return-token.js';
import { exchangeFor } from '../../src/credentials/exchange.js';
import { cause } from '../../src/domain/selector.js';
import { revoke } from '../../src/ledger/revoke.js';
import { JWT_TYPE } from '../../src/protocol/oauth.js';
import { AGENT, proven, TARGET } from '../support/brokers/stubbed.js';
import { wholeBroker } from '../support/brokers/use-cases.js';
import type { ExchangeRequest } from '../support/exchanging.js';
import { refusal } from '../support/refusal-code.js';
import { accessTokenOf } from '../../src/targets/kinds.js';

async function thief(wish: Partial<ExchangeRequest> = {}) {
  const broker = await wholeBroker();
  const { minted, task } = await broker.exchange(wish);
  const token = accessTokenOf(minted.material);
  const real = decodeJwt(token);
  const keys = broker.deps.keys;
  const forged = (change: JWTPayload) => keys.sign({ ...real, ...change }, { typ: 'at+jwt' });
  return { broker, token, task, real, forged };
}

it.each<[string, (real: JWTPayload) => JWTPayload]>([
  ['more scope', () => ({ scope: 'incident/4711:read incident/4711:write' })],
  [
    'other details',
    (real) => ({
      authorization_details: [
        ...(real['authorization_details'] as object[]),
        ...(real['authorization_details'] as object[]),
      ],
    }),
  ],
  ['more time', ({ exp = 0 }) => ({ exp: exp + 600 })],
  ['a later birth', (real) => ({ epoch: String(real['epoch']).replace(/\d+$/, '999') })],
  ['another target', () => ({ aud: 'https://payroll.example' })],
  ['an id of nothing', () => ({ jti: 'crd_aaaaaaaaaaaaaaaa' })],
  ['the id of no task', (real) => ({ task: { ...(real['task'] as object), id: 'tsk_aaaaaaaaaaaaaaaa' } })],
])('a stolen key buys no %s', async (_, change) => {
  const { broker, real, forged } = await thief();
  expect(await broker.introspect(await forged({}))).toBeDefined();
  expect(await broker.introspect(await forged(change(real)))).toBeUndefined();
});

/** Every place in the claims, at any depth, with another value, without one, and with something beside it. */
function mutations(real: JWTPayload): [string, JWTPayload][] {
  const found: [string, JWTPayload][] = [];
  const visit = (value: unknown, name: string, put: (value: unknown) => JWTPayload) => {
    found.push([`${name} changed`, put(other(value))], [`${name} removed`, put(undefined)]);
    if (Array.isArray(value)) {
      found.push([`${name} emptied`, put([])], [`${name} repeated`, put((value as unknown[]).concat(value))]);
      value.forEach((one, at) => visit(one, `${name}[${at}]`, (next) => put(value.toSpliced(at, 1, next))));
    } else if (typeof value === 'object' && value !== null) {
      found.push([`${name} with more`, put({ ...value, admin: true })]);
      for (const [key, one] of Object.entries(value))
        visit(one, `${name}.${key}`, (next) => put({ ...value, [key]: next }));
    }
  };
  visit(real, 'claims', (value) => value as JWTPayload);
  return found.filter(([, claims]) => typeof claims === 'object' && !isDeepStrictEqual(claims, real));
}

const other = (value: unknown): unknown => {
  if (typeof value === 'number') return value + 1;
  return typeof value === 'string' ? `${value}x` : 'another';
};

/** The team and the address may have changed since the token was signed, so a token may name fewer causes than the record. */
const MAY_BE_LESS = /^claims\.(origin\.owner removed|causes(\[\d+\])? (removed|emptied|repeated))$/;

it('a stolen key vouches for nothing: no claim of a live token can say anything else than the record', async () => {
  const { broker, real } = await thief({
    subject: { token: 'staff:mira', type: JWT_TYPE },
    actor: { token: AGENT, type: JWT_TYPE },
  });
  const genuine = await broker.introspect(await broker.deps.keys.sign(real, { typ: 'at+jwt' }));
  expect(genuine).toEqual(real);
  const tried = mutations(real);
  expect(tried.length).toBeGreaterThan(80);
  for (const [name, claims] of tried) {
    const token = await broker.deps.keys.sign(claims, { typ: 'at+jwt' });
    const answer = await broker.introspect(token);
    const expected = MAY_BE_LESS.test(name) ? [undefined, genuine] : [undefined];
    expect([name, expected.some((one) => isDeepStrictEqual(one, answer))]).toEqual([name, true]);
  }
});

it('a stolen key is entered into the audit log with the reason, and puts no name of its choice there', async () => {
  const { broker, real, forged } = await thief();
  await broker.introspect(await forged({ sub: 'lab:victim', client_id: 'lab:victim' }));
  await broker.introspect(await forged({ jti: 'crd_aaaaaaaaaaaaaaaa', client_id: 'lab:victim' }));
  const use = { path: 'incident/4711', action: 'read', trace: { requestId: 'r', address: '127.0.0.1' } };
  await evaluate(broker.deps, undefined, { ...use, subject: { token: await forged({ client_id: 'lab:victim' }) } });
  const entries = (await broker.audited()).filter(({ type }) => type === 'introspection.inactive');
  expect(entries.map(({ credential, reason = '' }) => [credential, reason.includes('may be stolen')])).toEqual([
    [real.jti, true],
    ['crd_aaaaaaaaaaaaaaaa', true],
    [real.jti, true],
  ]);
  expect(JSON.stringify(entries)).not.toContain('lab:victim');
});

it('a team that changes after the token was signed leaves it alive, and the answer names the team of now', async () => {
  const { broker, token, task } = await thief();
  const caller = { ...broker.agent, party: { ...broker.agent.party, owner: 'payments' } };
  const access = [{ path: 'incident/4711', actions: ['read'] }];
  const asked = { target: TARGET, access, under: { taskId: task.id }, askedAsScope: true };
  await exchangeFor(broker.deps, { caller }, { requestId: 'r', read: () => asked });
  const answer = await broker.introspect(token);
  expect(answer?.origin.owner).toBe('payments');
  expect(answer?.causes).toEqual(expect.arrayContaining([cause('owner', 'sre'), cause('owner', 'payments')]));
});

it('a stolen key buys no life after a revocation, whatever causes the token leaves out', async () => {
  const { broker, forged } = await thief();
  const selector = { kind: 'workload', value: AGENT } as const;
  await revoke(broker.deps.ledger, { selector, effect: 'hold', reason: 'stolen', actor: 'soc' });
  expect(await broker.introspect(await forged({ causes: [] }))).toBeUndefined();
});

it("a stolen key ends nobody else's credential: a token that names another holder gives nothing back", async () => {
  const { broker, forged } = await thief();
  const token = await forged({ client_id: 'lab:thief' });
  await returnToken(broker.deps, proven('lab:thief', broker.clock), { token, requestId: 'r' });
  expect(await broker.introspect(await forged({}))).toBeDefined();
  await returnToken(broker.deps, proven(AGENT, broker.clock), { token: await forged({}), requestId: 'r' });
  expect(await broker.introspect(await forged({}))).toBeUndefined();
});

it('a stolen key moves no credential to another task, which may live on', async () => {
  const { broker, real, forged } = await thief();
  const { task } = await broker.exchange();
  const moved = await forged({ task: { ...(real['task'] as object), id: task.id }, causes: [] });
  expect(await broker.introspect(moved)).toBeUndefined();
});

it('a stolen key derives nothing from a credential that was never granted', async () => {
  const { broker, forged } = await thief();
  const wanted = { audience: TARGET, access: { path: 'incident/4711', actions: ['read'] } };
  const derive = async (change: JWTPayload) => requesterByCredential(broker.deps, await forged(change), wanted);
  expect(await refusal(derive({}))).toBe('granted');
  expect(await refusal(derive({ jti: 'crd_aaaaaaaaaaaaaaaa' }))).toBe('invalid_token');
});
