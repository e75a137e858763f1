/** Subjects of signals under different trust entries: SPIFFE IDs, and names that would be ambiguous. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { configSchema } from '../../../src/config/schema.js';
import { canHitSomebody } from '../../../src/identity/party-from-id.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import { createPartyMemory } from '../../../src/ledger/seen.js';
import { resolveReactionTarget } from '../../../src/signals/authority.js';
import { selectorsOf } from '../../../src/signals/resolve-subject.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';

const oidc = (name: string, more: object = {}) => ({
  ...{ name, kind: 'oidc', issuer: `https://${name}.example`, jwks: { file: 'x' } },
  ...more,
});
const person = { represents: 'person', claims: ['email'] };
const selectors = (trust: object[], subject: unknown) => {
  const entries = configSchema.shape.trust.parse(trust);
  const clock = handClock();
  const { records, log } = modelStore(clock);
  const ledger = { records, log: openRevocationLog(log), clock };
  const deps = { ledger, trust: entries, issuer: 'https://mayfly.example' };
  return selectorsOf(deps, { about: entries.map(({ name }) => name), event: 'account-disabled', subject });
};

describe('a SPIFFE ID', () => {
  const trust = [{ name: 'prod', kind: 'spiffe', trustDomain: 'prod.example', bundle: { file: 'x' } }];
  it.each([
    ['spiffe://prod.example/ns/a', [{ kind: 'workload', value: 'spiffe://prod.example/ns/a' }]],
    ['spiffe://prod.example.evil.example/ns/a', []],
    ['spiffe://prod.example', []],
    ['SPIFFE://prod.example/ns/a', []],
  ])('%s is a workload of its own trust domain alone', async (uri, expected) => {
    expect(await selectors(trust, { format: 'uri', uri })).toEqual(expected);
  });
});

describe('an address', () => {
  const subject = { format: 'email', email: 'ada@example.com' };
  it.each<[string, object[], number]>([
    ['is a person of the one issuer of persons', [oidc('lab'), oidc('staff', person)], 1],
    ['of two issuers of persons is nobody', [oidc('corp', person), oidc('staff', person)], 0],
    ['is nobody where no address is remembered', [oidc('staff', { represents: 'person' })], 0],
    ['is no workload', [oidc('lab')], 0],
  ])('%s', async (_name, trust, count) => {
    expect(await selectors(trust, subject)).toHaveLength(count);
  });
});

describe('a subject of an issuer whose ids outlast it', () => {
  const trust = [oidc('ci', { workload: ['agent'] })];
  const entries = configSchema.shape.trust.parse(trust);
  const run = { kind: 'subject', value: 'ci:run-7' } as const;

  it('is known by its digest where it is no name, in a signal as in a token', async () => {
    const sub = 'refs/heads/grün';
    const value = `ci:sha256:${createHash('sha256').update(sub).digest('base64url')}`;
    const named = await selectors(trust, { format: 'iss_sub', iss: 'https://ci.example', sub });
    expect(named).toEqual([{ kind: 'subject', value }]);
    for (const none of ['ci:sha256:', 'ci:sha256:short', `${value}x`])
      expect(canHitSomebody(entries, { kind: 'subject', value: none })).toBe(false);
  });

  it('is that run, and no workload', async () => {
    expect(await selectors(trust, { format: 'iss_sub', iss: 'https://ci.example', sub: 'run-7' })).toEqual([run]);
  });

  function remembering() {
    const clock = handClock();
    const { records, log } = modelStore(clock);
    const ledger = { records, log: openRevocationLog(log), clock };
    const settings = { trust: entries, signals: { transmitters: [], about: undefined } };
    const covering = (covers?: 'workload' | 'issuer') =>
      resolveReactionTarget(
        { ledger, settings },
        { about: [run], source: 'ops:siem', event: 'session-revoked' },
        covers,
      );
    const memory = createPartyMemory(ledger);
    const calls = async (id: string) => {
      memory.called({ kind: 'workload', id, issuer: 'ci', subject: run.value, claims: {}, groups: [] });
      await new Promise(setImmediate); // Nobody waits for the write.
    };
    return { covering, calls };
  }

  it('belongs to the workload that called with it, and to nobody before', async () => {
    const { covering, calls } = remembering();
    expect(await covering('workload')).toBeUndefined();
    await calls('ci:agent-7');
    expect((await covering('workload'))?.selector).toEqual({ kind: 'workload', value: 'ci:agent-7' });
    expect((await covering('issuer'))?.selector).toEqual({ kind: 'issuer', value: 'ci' });
    // One workload with many runs takes from one budget.
    expect(await covering()).toEqual({ selector: run, party: 'ci:agent-7', issuer: 'ci' });
  });

  it('with which two workloads called reaches neither: nothing is guessed', async () => {
    const { covering, calls } = remembering();
    await calls('ci:lint.yml');
    await calls('ci:deploy.yml');
    expect(await covering('workload')).toBeUndefined();
    expect((await covering('issuer'))?.selector).toEqual({ kind: 'issuer', value: 'ci' });
    expect(await covering()).toEqual({ selector: run, party: run.value, issuer: 'ci' });
  });
});

it('a subject of an issuer that stands under two names is nobody', async () => {
  const trust = [oidc('a', { issuer: 'https://x.example' }), oidc('b', { issuer: 'https://x.example' })];
  expect(await selectors(trust, { format: 'iss_sub', iss: 'https://x.example', sub: 'agent' })).toEqual([]);
});
