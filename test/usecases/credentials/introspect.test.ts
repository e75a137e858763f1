/** Introspection answers the state at this moment, or exactly `active: false`. */
import { describe, expect, it } from '@jest/globals';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describeEntry } from '../../../src/audit/describe-entry.js';
import { introspect } from '../../../src/credentials/introspect.js';
import { newId } from '../../../src/domain/id.js';
import { openLmdb } from '../../../src/store/lmdb.js';
import { recordKey } from '../../../src/ledger/keys.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { proven } from '../../support/brokers/stubbed.js';
import { handClock } from '../../support/clock.js';
import { temporaryDirectory } from '../../support/directory.js';
import { AGENT, TARGET, wholeBroker } from '../../support/brokers/use-cases.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';

it('a live token is answered with the claims it carries', async () => {
  const broker = await wholeBroker();
  const { minted, credential, task } = await broker.exchange();
  expect(await broker.introspect(accessTokenOf(minted.material))).toMatchObject({
    jti: credential.id,
    client_id: AGENT,
    aud: TARGET,
    task: { id: task.id },
  });
});

describe('a token signed with our own key is nothing', () => {
  it('when the ledger does not know it', async () => {
    const broker = await wholeBroker();
    const { minted } = await broker.exchange();
    const claims = await broker.introspect(accessTokenOf(minted.material));
    const forged = await broker.deps.keys.sign({ ...claims, jti: newId('crd') }, { typ: 'at+jwt' });
    expect(await broker.introspect(forged)).toBeUndefined();
  });

  it.each([
    ['of another type', 'mayfly-audit-head+jwt', {}],
    ['for another target than it was recorded for', 'at+jwt', { aud: 'https://wiki.example' }],
    ['without its causes', 'at+jwt', { causes: undefined }],
    ['with an epoch that is none', 'at+jwt', { epoch: undefined }],
  ])('when it is %s', async (_, typ, over) => {
    const broker = await wholeBroker();
    const { minted } = await broker.exchange();
    const claims = await broker.introspect(accessTokenOf(minted.material));
    const forged = await broker.deps.keys.sign({ ...claims, ...over }, { typ });
    expect(await broker.introspect(forged)).toBeUndefined();
  });
});

it('a caller that is held, or was cut off, gets `active: false` for every token', async () => {
  const broker = await wholeBroker();
  const { minted } = await broker.exchange();
  for (const effect of ['cutoff', 'hold'] as const) {
    const selector = { kind: 'workload', value: 'lab:api' } as const;
    await revoke(broker.deps.ledger, { selector, effect, reason: 'r', actor: 'soc' });
    const asked = { token: accessTokenOf(minted.material), requestId: 'r' };
    expect(await introspect(broker.deps, proven('lab:api', broker.clock), asked)).toBeUndefined();
    expect(await introspect(broker.deps, proven('lab:other-api', broker.clock), asked)).toBeDefined();
  }
});

describe('who may ask', () => {
  const permitting = async (...verbs: string[]) => {
    const broker = await wholeBroker();
    const { policy } = broker.deps;
    const decide: typeof policy.decide = (query) =>
      verbs.includes(query.action)
        ? policy.decide(query)
        : Promise.resolve({ outcome: 'deny', policies: [], digest: '' });
    const noted: string[] = [];
    const observer = { ...broker.deps.observer, presented: ({ id }: { id: string }) => void noted.push(id) };
    const deps = { ...broker.deps, observer, policy: { ...policy, decide } };
    const { minted, credential } = await broker.exchange();
    const ask = () =>
      introspect(deps, proven('lab:soc', broker.clock), {
        token: accessTokenOf(minted.material),
        presentedFrom: 'a desk',
        requestId: 'r',
      });
    return { broker, credential, ask, noted };
  };

  it.each([
    ['introspect', true],
    ['readCredential', false],
  ])('whoever may %s gets the claims; a use of the token it is for the target alone', async (verb, isUse) => {
    const { credential, ask, noted } = await permitting(verb);
    expect(await ask()).toMatchObject({ jti: credential.id });
    expect(noted).toEqual(isUse ? [credential.id] : []);
  });

  it('whoever may not hears nothing, and the audit log does not call the token dead', async () => {
    const { broker, credential, ask } = await permitting();
    expect(await ask()).toBeUndefined();
    const about = (await broker.audited()).filter((entry) => entry.credential === credential.id).slice(1);
    expect(about.map(({ type, verb, error }) => [type, verb, error])).toEqual([
      ['operation.refused', 'introspect', 'access_denied'],
    ]);
    expect(about.map((entry) => describeEntry({ ...entry, seq: 1 }))).toEqual([
      `${credential.id} presented at ${TARGET}: not permitted to ask`,
    ]);
  });
});

it.each([false, true])(
  'a token that expires while the log is looked at is not live, and no use after its end is noted (revoked: %s)',
  async (isRevoked) => {
    const broker = await wholeBroker();
    const { minted, credential } = await broker.exchange();
    const selector = { kind: 'credential', value: credential.id } as const;
    if (isRevoked) await revoke(broker.deps.ledger, { selector, effect: 'end', reason: 'r', actor: 'soc' });
    const { ledger, observer } = broker.deps;
    const used: string[] = [];
    const look: typeof ledger.log.look = async (causes) => {
      const seen = await ledger.log.look(causes);
      broker.clock.set(credential.expiresAt);
      return seen;
    };
    const deps = {
      ...broker.deps,
      ledger: { ...ledger, log: { ...ledger.log, look } },
      observer: { ...observer, deadUse: ({ id }: { id: string }) => void used.push(id) },
    };
    const asked = { token: accessTokenOf(minted.material), requestId: 'r' };
    expect(await introspect(deps, proven('lab:api', broker.clock), asked)).toBeUndefined();
    expect(used).toEqual([]);
  },
);

it('a dead token of which somebody waits for the end is no use of it; the same token shown to its target is one', async () => {
  const broker = await wholeBroker();
  const { minted, credential } = await broker.exchange();
  const selector = { kind: 'credential', value: credential.id } as const;
  await revoke(broker.deps.ledger, { selector, effect: 'end', reason: 'r', actor: 'soc' });
  const used: string[] = [];
  const observer = { ...broker.deps.observer, deadUse: ({ id }: { id: string }) => void used.push(id) };
  const ask = (more: { isWatched?: true }) =>
    introspect({ ...broker.deps, observer }, proven('lab:api', broker.clock), {
      token: accessTokenOf(minted.material),
      requestId: 'r',
      ...more,
    });
  await ask({ isWatched: true });
  expect(used).toEqual([]);
  await ask({});
  expect(used).toEqual([credential.id]);
});

it('a record that is gone is a dead token', async () => {
  const broker = await wholeBroker();
  const { minted, credential } = await broker.exchange();
  await broker.store.records.commit({ remove: [recordKey(credential.id)] });
  expect(await broker.introspect(accessTokenOf(minted.material))).toBeUndefined();
});

it('G9: no token and no open key is ever kept: not in the store’s files, not in the audit log', async () => {
  const clock = handClock();
  const directory = join(temporaryDirectory(), 'store');
  const store = await openLmdb({ directory, clock, role: 'broker' });
  const keyEncryptionKey = new Uint8Array(32).fill(7);
  const broker = await wholeBroker({ store, clock, keyEncryptionKey });
  const { minted, credential } = await broker.exchange();
  await broker.audited();
  await store.close();
  const bytes = Buffer.concat(readdirSync(directory).map((name) => readFileSync(join(directory, name))));
  expect(bytes.includes(credential.id)).toBe(true);
  for (const part of accessTokenOf(minted.material).split('.').slice(1)) expect(bytes.includes(part)).toBe(false);
  expect(bytes.includes('"d":')).toBe(false);
  expect(bytes.includes(Buffer.from(keyEncryptionKey))).toBe(false);
  const ring = bytes.subarray(bytes.indexOf('"current":{"kid"')).toString('latin1');
  expect(ring).toMatch(/^"current":\{"kid":"[\w-]+","sealed":"eyJ/);
});
