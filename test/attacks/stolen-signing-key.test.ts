/** Whoever has a signing key can write anything into a token, but nothing into the ledger: introspection accepts a token only if both agree. */
import { expect, it } from '@jest/globals';
import { decodeJwt, type JWTPayload } from 'jose';
import { requesterByCredential } from '../../src/authorization/requester.js';
import { returnToken } from '../../src/credentials/return-token.js';
import { revoke } from '../../src/ledger/revoke.js';
import { AGENT, proven, TARGET } from '../support/brokers/stubbed.js';
import { wholeBroker } from '../support/brokers/use-cases.js';
import { refusal } from '../support/refusal-code.js';
import { accessTokenOf } from '../../src/targets/kinds.js';

async function thief() {
  const broker = await wholeBroker();
  const { minted } = await broker.exchange();
  const real = decodeJwt(accessTokenOf(minted.material));
  const keys = broker.deps.keys;
  const forged = (change: JWTPayload) => keys.sign({ ...real, ...change }, { typ: 'at+jwt' });
  return { broker, real, forged };
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
