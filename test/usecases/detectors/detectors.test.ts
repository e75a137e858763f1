/** Detectors, from the event in a use case to the signal. */
import { describe, expect, it } from '@jest/globals';
import { requesterByCredential } from '../../../src/authorization/requester.js';
import { assertPartyWithin } from '../../../src/compose/rate.js';
import { exchangeFor } from '../../../src/credentials/exchange.js';
import { introspect } from '../../../src/credentials/introspect.js';
import type { Issued } from '../../../src/credentials/release.js';
import { PROOFS_PER_ISSUER } from '../../../src/detectors/pool.js';
import { FINDINGS_PER_ISSUER, FINDINGS_PER_PARTY } from '../../../src/detectors/raise.js';
import type { Observer } from '../../../src/detectors/observer.js';
import type { CredentialCharge } from '../../../src/domain/charge.js';
import { BrokerError } from '../../../src/domain/errors.js';
import { newId } from '../../../src/domain/id.js';
import type { Selector } from '../../../src/domain/selector.js';
import { DETECTOR, type DetectorEvent } from '../../../src/domain/signal.js';
import type { PolicyEngine } from '../../../src/policy/policy-engine.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { resolveReactionTarget } from '../../../src/signals/authority.js';
import { bareBroker, proven } from '../../support/brokers/stubbed.js';
import { handClock } from '../../support/clock.js';
import { findingsIn, watchedBroker, watching } from '../../support/brokers/detectors.js';
import { modelStore } from '../../support/search/model-store.js';
import { refusal } from '../../support/refusal-code.js';
import {
  AGENT,
  lmdbStore,
  TARGET,
  wholeBroker,
  withPersons,
  type WholeBroker,
} from '../../support/brokers/use-cases.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';

const someCredential = (holder = AGENT): CredentialCharge => ({
  kind: 'credential',
  id: newId('crd'),
  of: { kind: 'workload', id: holder, issuer: 'lab' },
});

const AGENT_IT_IS: [Selector] = [{ kind: 'workload', value: AGENT }];
const end = ({ deps }: WholeBroker, selector: Selector, effect: 'end' | 'hold' | 'cutoff' = 'end') =>
  revoke(deps.ledger, { selector, effect, reason: 'r', actor: 'soc' });

/** A policy that permits every path that does not begin with `secret`. */
const guarded: Pick<Parameters<typeof watchedBroker>[1] & object, 'policy'> = (() => {
  const { policy } = bareBroker(modelStore(handClock()), handClock());
  const decide: PolicyEngine['decide'] = (query) =>
    query.resource.type === 'resource' && query.resource.path.startsWith('secret')
      ? Promise.resolve({ outcome: 'deny', policies: [], digest: 'all' })
      : policy.decide(query);
  return { policy: { ...policy, decide } };
})();

/** Presents the credential as proof, and asks for another under its task. Returns the refusal, or `granted`. */
async function derive({ deps }: WholeBroker, { minted, task }: Issued, path = 'incident/4711'): Promise<string> {
  const wanted = { audience: TARGET, access: { path: 'incident/4711', actions: ['read'] } };
  const requester = await requesterByCredential(deps, accessTokenOf(minted.material), wanted);
  if (!requester) throw new Error('it is one of ours');
  const access = [{ path, actions: ['read'] }];
  const asked = { target: TARGET, access, askedAsScope: false, under: { taskId: task.id } };
  return refusal(exchangeFor(deps, requester, { requestId: 'r', read: () => asked }));
}

const secret = { access: [{ path: 'secret/1', actions: ['read'] }] };

describe('a credential used after its end', () => {
  it('is found where an API asks about it', async () => {
    const broker = await watchedBroker();
    const { minted, credential } = await broker.exchange();
    await broker.introspect(accessTokenOf(minted.material));
    expect(await broker.findings()).toEqual([]);
    await end(broker, { kind: 'credential', value: credential.id });
    await broker.introspect(accessTokenOf(minted.material));
    await broker.introspect(accessTokenOf(minted.material));
    expect(await broker.findings()).toEqual([
      { event: 'use-after-end', about: [{ kind: 'credential', value: credential.id }], reason: '2 within 60 s' },
    ]);
    await broker.introspect(accessTokenOf(minted.material));
    expect(await broker.findings()).toHaveLength(1);
  });

  it.each<[string, (task: string) => Selector, 'end' | 'cutoff']>([
    ['its task ended', (task) => ({ kind: 'task', value: task }), 'end'],
    ['its workload was cut off', () => ({ kind: 'workload', value: AGENT }), 'cutoff'],
  ])('is found when %s', async (_, selector, effect) => {
    const broker = await watchedBroker();
    const { minted, task } = await broker.exchange();
    await end(broker, selector(task.id), effect);
    await broker.introspect(accessTokenOf(minted.material));
    expect(await broker.findings()).toMatchObject([{ event: 'use-after-end' }]);
  });

  it('is found where another is to be derived from it', async () => {
    const broker = await watchedBroker();
    const issued = await broker.exchange();
    const { credential, task } = issued;
    expect(await derive(broker, issued)).toBe('granted');
    await end(broker, { kind: 'task', value: task.id });
    expect(await derive(broker, issued)).toBe('invalid_grant');
    expect(await broker.findings()).toMatchObject([
      { event: 'use-after-end', about: [{ kind: 'credential', value: credential.id }] },
    ]);
  });

  it('is no finding when it has merely expired, or the log was lost', async () => {
    const broker = await watchedBroker();
    const { minted } = await broker.exchange();
    broker.clock.advance(301_000);
    expect(await broker.introspect(accessTokenOf(minted.material))).toBeUndefined();
    const other = await broker.exchange();
    const { generation } = await broker.store.log.look([]);
    await broker.store.log.replace(generation, 'another');
    // The numbers of another log do not say whether the credential was revoked.
    await end(broker, AGENT_IT_IS[0], 'cutoff');
    expect(await broker.introspect(accessTokenOf(other.minted.material))).toBeUndefined();
    expect(await broker.findings()).toEqual([]);
  });

  it('is not found by the report of a caller that policy does not let ask', async () => {
    const nobodyAsks = bareBroker(modelStore(handClock()), handClock()).policy;
    const broker = await watchedBroker();
    const { minted, credential } = await broker.exchange();
    await end(broker, { kind: 'credential', value: credential.id });
    const policy: PolicyEngine = {
      ...nobodyAsks,
      decide: () => Promise.resolve({ outcome: 'deny', policies: [], digest: 'all' }),
    };
    const asked = { token: accessTokenOf(minted.material), presentedFrom: 'a', requestId: 'r' };
    await introspect({ ...broker.deps, policy }, proven('lab:nosy', broker.clock), asked);
    expect(await broker.findings()).toEqual([]);
  });
});

describe('refusals of one task in a row', () => {
  it('are a finding about the task', async () => {
    const broker = await watchedBroker({ outOfScope: { threshold: 3 } }, guarded);
    const { task } = await broker.open();
    for (let i = 0; i < 3; i += 1)
      expect(await refusal(broker.exchange({ ...secret, under: { taskId: task.id } }))).toBe('access_denied');
    expect(await broker.findings()).toEqual([
      {
        event: 'out-of-scope',
        about: [{ kind: 'task', value: task.id }],
        reason: '3 within 600 s',
      },
    ]);
  });

  it('include what goes beyond what the task was opened for', async () => {
    const broker = await watchedBroker({ outOfScope: { threshold: 2 } });
    const { task } = await broker.open({ access: [{ target: TARGET, path: 'incident/1', actions: ['read'] }] });
    for (let i = 0; i < 2; i += 1) expect(await refusal(broker.under(task.id))).toBe('invalid_scope');
    expect(await broker.findings()).toMatchObject([{ event: 'out-of-scope' }]);
  });

  it('begin anew with every grant, whether the store knew of them or not', async () => {
    const broker = await watchedBroker({ outOfScope: { threshold: 3 } }, guarded);
    const { task } = await broker.open();
    for (let i = 0; i < 6; i += 1) {
      await refusal(broker.exchange({ ...secret, under: { taskId: task.id } }));
      await refusal(broker.exchange({ ...secret, under: { taskId: task.id } }));
      if (i % 2 === 0) await broker.detectors.run();
      await broker.under(task.id);
    }
    expect(await broker.findings()).toEqual([]);
  });

  it('are nothing for another workload that names the same task', async () => {
    const broker = await watchedBroker({ outOfScope: { threshold: 2 } }, guarded);
    const { task } = await broker.open();
    const under = { taskId: task.id };
    await refusal(broker.exchange({ ...secret, under }));
    const asked = { subject: { token: 'lab:other', type: 'urn:ietf:params:oauth:token-type:jwt' }, under };
    for (let i = 0; i < 5; i += 1) await refusal(broker.exchange({ ...asked, ...secret }));
    expect(await broker.findings()).toEqual([]);
  });

  it('are nothing for a person who names the task of another, and count where the task serves them', async () => {
    const clock = handClock();
    const settings = withPersons(bareBroker(modelStore(clock), clock).settings);
    const broker = await watchedBroker({ outOfScope: { threshold: 2 } }, { clock, settings });
    const { task } = await broker.open({ principal: 'staff:alice' });
    const type = 'urn:ietf:params:oauth:token-type:jwt';
    const asks = (person: string) =>
      refusal(
        broker.exchange({
          subject: { token: person, type },
          actor: { token: AGENT, type },
          under: { taskId: task.id },
          target: 'https://nowhere.example',
        }),
      );
    for (let i = 0; i < 2; i += 1) expect(await asks('staff:mallory')).toBe('invalid_target');
    expect(await broker.findings()).toEqual([]);
    for (let i = 0; i < 2; i += 1) expect(await asks('staff:alice')).toBe('invalid_target');
    expect(await broker.findings()).toMatchObject([
      { event: 'out-of-scope', about: [{ kind: 'task', value: task.id }] },
    ]);
  });
});

it('a burst of denials of one workload is found, over all tasks of its own making', async () => {
  const broker = await watchedBroker({ denialBurst: { threshold: 4 } }, guarded);
  const { task } = await broker.exchange();
  for (let i = 0; i < 3; i += 1) await refusal(broker.exchange(secret));
  await refusal(broker.exchange({ ...secret, under: { taskId: task.id } }));
  await refusal(
    broker.exchange({ ...secret, subject: { token: 'lab:other', type: 'urn:ietf:params:oauth:token-type:jwt' } }),
  );
  expect(await broker.findings()).toEqual([{ event: 'denial-burst', about: AGENT_IT_IS, reason: '4 within 60 s' }]);
});

it('whoever presents a credential as proof charges it, and not the workload that it was granted to', async () => {
  const thresholds = {
    mintSpike: { factor: 2, atLeast: 3 },
    denialBurst: { threshold: 3 },
    outOfScope: { threshold: 3 },
  };
  const broker = await watchedBroker(thresholds, guarded);
  const issued = await broker.exchange();
  const { credential } = issued;
  for (let i = 0; i < 3; i += 1) expect(await derive(broker, issued)).toBe('granted');
  for (let i = 0; i < 3; i += 1) expect(await derive(broker, issued, 'secret/1')).toBe('access_denied');
  const about = [{ kind: 'credential', value: credential.id }];
  const findings = await broker.findings();
  expect(findings.map(({ event }) => event).toSorted()).toEqual(['mint-spike', 'out-of-scope']);
  expect(findings.map((one) => one.about)).toEqual([about, about]);
});

it('whoever presents a credential as proof uses up nothing of what its workload may ask for itself', async () => {
  const clock = handClock();
  const assertWithinRate = assertPartyWithin({ perWorkloadPerMinute: 3, perIssuerPerMinute: 100 });
  const broker = await wholeBroker({ clock, assertWithinRate });
  const issued = await broker.exchange();
  for (const outcome of ['granted', 'granted', 'granted', 'slow_down'])
    expect(await derive(broker, issued)).toBe(outcome);
  for (const outcome of ['granted', 'granted', 'slow_down']) expect(await refusal(broker.exchange())).toBe(outcome);
});

describe('a spike of mints', () => {
  it('is found against the own usual of a workload', async () => {
    const broker = await watchedBroker({ mintSpike: { factor: 3, atLeast: 6 } });
    for (let minute = 0; minute < 4; minute += 1) {
      for (let i = 0; i < 3; i += 1) await broker.exchange();
      broker.clock.advance(60_000);
      expect(await broker.findings()).toEqual([]);
    }
    for (let i = 0; i < 10; i += 1) await broker.exchange();
    const reason = '10 in a minute, where 3.0 are usual';
    expect(await broker.findings()).toEqual([{ event: 'mint-spike', about: AGENT_IT_IS, reason }]);
  });

  it('is none where the same is given again: nothing was minted', async () => {
    const broker = await watchedBroker({ mintSpike: { factor: 3, atLeast: 6 } });
    const { task } = await broker.exchange();
    for (let i = 0; i < 30; i += 1) await broker.exchange({ under: { taskId: task.id }, again: true });
    broker.clock.advance(60_000);
    expect(await broker.findings()).toEqual([]);
  });
});

describe('a credential presented from many places', () => {
  const at = (broker: WholeBroker, token: string) => async (presentedFrom: string) =>
    introspect(broker.deps, proven('lab:api', broker.clock), { token, presentedFrom, requestId: 'r' });

  it('is found when they are more than allowed', async () => {
    const broker = await watchedBroker({ manyPlaces: { threshold: 2 } });
    const { minted, credential } = await broker.exchange();
    const from = at(broker, accessTokenOf(minted.material));
    for (const place of ['10.0.0.1', '10.0.0.2', '10.0.0.1']) await from(place);
    expect(await broker.findings()).toEqual([]);
    await from('10.0.0.3');
    expect(await broker.findings()).toMatchObject([
      { event: 'many-places', about: [{ kind: 'credential', value: credential.id }] },
    ]);
  });

  it('is remembered without the places', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broker = await watchedBroker({}, { clock, store });
    await at(broker, accessTokenOf((await broker.exchange()).minted.material))('fra1.internal.example');
    await broker.findings();
    const stored = JSON.stringify([...store.snapshotState().records]);
    expect(stored).toContain('noticed:many-places');
    expect(stored).not.toContain('fra1');
  });
});

describe('somebody who is held or cut off and keeps trying', () => {
  it.each<['hold' | 'cutoff', string, Selector['kind']]>([
    ['hold', AGENT, 'workload'],
    ['cutoff', AGENT, 'workload'],
    ['hold', 'staff:bo', 'principal'],
  ])('is found after a %s: %s', async (effect, id, kind) => {
    const broker = await watchedBroker({ endedIdentity: { threshold: 2 } });
    await broker.remembers(id);
    await end(broker, { kind, value: id }, effect);
    const caller = proven(id, broker.clock);
    for (let i = 0; i < 2; i += 1) await introspect(broker.deps, caller, { token: 'x', requestId: 'r' });
    const [found, ...more] = await broker.findings();
    expect(more).toEqual([]);
    expect(found).toMatchObject({ event: 'ended-identity', about: [{ kind, value: id }] });
  });
});

describe('a reaction to a finding', () => {
  const KINDS = ['credential', 'task', 'workload', 'principal', 'issuer'] as const;

  it.each<[DetectorEvent, (typeof KINDS)[number][], (typeof KINDS)[number][]]>([
    ['use-after-end', ['credential'], ['credential', 'task']],
    ['many-places', ['credential'], ['credential', 'task']],
    ['out-of-scope', ['credential'], ['credential', 'task']],
    ['mint-spike', ['credential'], ['credential', 'task']],
    ['out-of-scope', ['task'], ['task']],
    ['denial-burst', ['workload'], ['workload']],
    ['mint-spike', ['workload'], ['workload']],
    ['ended-identity', ['workload'], []],
    ['ended-identity', ['principal'], []],
    ['canary-used', ['task', 'workload'], ['task', 'workload']],
    ['canary-used', ['workload'], ['workload']],
    ['denial-burst', [], []],
  ])('%s about %j reaches at most %j', async (event, about, reached) => {
    const broker = await watchedBroker();
    const { credential, task } = await broker.exchange();
    const values = { credential: credential.id, task: task.id, workload: AGENT, principal: AGENT, issuer: 'lab' };
    const signal = { event, source: DETECTOR, about: about.map((kind) => ({ kind, value: values[kind] })) };
    const targets = await Promise.all(
      KINDS.map((covers) =>
        resolveReactionTarget({ ledger: broker.ledger, settings: broker.deps.settings }, signal, covers),
      ),
    );
    expect(targets.flatMap((one) => (one ? [one.selector] : []))).toEqual(
      reached.map((kind) => ({ kind, value: values[kind] })),
    );
  });
});

describe('many brokers', () => {
  it('see one picture: what is spread over two of them is found, once', async () => {
    const clock = handClock();
    const store = await lmdbStore(clock);
    const [one, two] = [0, 1].map(() => watching(store, clock, { useAfterEnd: { threshold: 6 } }));
    if (!one || !two) throw new Error('two of them');
    const credential = someCredential();
    for (let i = 0; i < 3; i += 1) {
      one.detectors.observer.deadUse(credential);
      two.detectors.observer.deadUse(credential);
    }
    await Promise.all([one.detectors.run(), two.detectors.run()]);
    expect(await findingsIn(one.ledger)).toMatchObject([{ event: 'use-after-end', reason: '6 within 60 s' }]);
    expect([...one.told, ...two.told]).toHaveLength(1);
  });

  it('that find the same at once raise one signal', async () => {
    const clock = handClock();
    const store = await lmdbStore(clock);
    const all = Array.from({ length: 8 }, () => watching(store, clock, { useAfterEnd: { threshold: 1 } }));
    const credential = someCredential();
    for (const { detectors } of all) detectors.observer.deadUse(credential);
    await Promise.all(all.map(({ detectors }) => detectors.run()));
    expect(all.flatMap(({ told }) => told)).toHaveLength(1);
  });
});

describe('the store', () => {
  const recordsOf = (event: string, store: ReturnType<typeof modelStore>) =>
    [...store.snapshotState().records].filter(([key]) => key.includes(`noticed:${event}`)).length;
  const many = Array.from({ length: 100 }, (_, i) => i);

  it('counts parties that were never granted anything by their issuer, and names none of them', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const { detectors, ledger } = watching(store, clock, { denialBurst: { threshold: 100 } });
    const denied = new BrokerError('invalid_scope', 'No.');
    for (const i of many) {
      const of = { kind: 'workload', id: `lab:branch-${i}`, issuer: 'lab' } as const;
      detectors.observer.refused([{ kind: 'party', of }], denied);
    }
    await detectors.run();
    expect(recordsOf('denial-burst', store)).toBe(1);
    const reason = '100 within 60 s, of parties of lab that are not told apart';
    expect(await findingsIn(ledger)).toEqual([{ event: 'denial-burst', about: [], reason }]);
  });

  it('tells so many proofs of an issuer apart in a minute, however many tokens it gives out', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broker = await watchedBroker({}, { clock, store });
    await broker.remembers(AGENT);
    const { party } = broker.agent;
    for (const i of many) broker.detectors.observer.lockedOut({ kind: 'proof', id: `proof-${i}`, of: party });
    await broker.detectors.run();
    expect(recordsOf('ended-identity', store)).toBe(PROOFS_PER_ISSUER + 1);
  });

  it('takes so many findings about an issuer in a minute, however many dead credentials are shown', async () => {
    const clock = handClock();
    const { detectors, ledger } = watching(modelStore(clock), clock);
    many.forEach((i) => detectors.observer.deadUse(someCredential(`lab:${i}`)));
    await detectors.run();
    const findings = await findingsIn(ledger);
    expect(findings).toHaveLength(FINDINGS_PER_ISSUER + 1);
    expect(findings.filter(({ about }) => about.length === 0)).toMatchObject([
      { reason: 'more findings, of parties of lab that are not told apart' },
    ]);
  });

  it('leaves room for findings about others, however many one workload makes', async () => {
    const clock = handClock();
    const { detectors, ledger } = watching(modelStore(clock), clock);
    many.forEach(() => detectors.observer.deadUse(someCredential('lab:flood')));
    await detectors.run();
    expect(await findingsIn(ledger)).toHaveLength(FINDINGS_PER_PARTY + 1);
    const stolen = someCredential();
    detectors.observer.deadUse(stolen);
    await detectors.run();
    expect(await findingsIn(ledger)).toContainEqual(
      expect.objectContaining({ about: [{ kind: 'credential', value: stolen.id }] }),
    );
  });

  it.each<[DetectorEvent, (observer: Observer, credential: CredentialCharge) => void]>([
    ['use-after-end', (observer, credential) => observer.deadUse(credential)],
    ['many-places', (observer, credential) => ['a', 'b', 'c', 'd'].forEach((at) => observer.presented(credential, at))],
  ])('%s: tells what it did not tell apart in a flood, as soon as the flood is over', async (event, act) => {
    const clock = handClock();
    const thresholds = { useAfterEnd: { withinSeconds: 3_600 } };
    const { detectors, ledger } = watching(modelStore(clock), clock, thresholds);
    for (let i = 0; i < FINDINGS_PER_ISSUER; i += 1) act(detectors.observer, someCredential(`lab:${i}`));
    await detectors.run();
    const stolen = someCredential();
    const told = async () =>
      (await findingsIn(ledger)).filter((one) => one.event === event && one.about[0]?.value === stolen.id).length;
    for (const expected of [0, 1, 1]) {
      act(detectors.observer, stolen);
      await detectors.run();
      expect(await told()).toBe(expected);
      clock.advance(60_000);
    }
  });
});

describe('memory', () => {
  it('does not grow with the subjects that strangers make up: the oldest are dropped, and counted', async () => {
    const clock = handClock();
    const { detectors, dropped, ledger } = watching(modelStore(clock), clock, { useAfterEnd: { threshold: 1 } });
    for (let i = 0; i < 100_000; i += 1) detectors.observer.deadUse(someCredential(`lab:${i}`));
    expect(dropped()).toBe(90_000);
    for (let turn = 0; turn < 5; turn += 1) await detectors.run();
    expect(await findingsIn(ledger)).toHaveLength(FINDINGS_PER_ISSUER + 1);
    detectors.observer.deadUse(someCredential());
    expect(dropped()).toBe(90_000);
  });

  it('keeps what the store did not take, and writes it later', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    let down = true;
    const failing = {
      ...store,
      records: {
        ...store.records,
        read: (keys: Parameters<typeof store.records.read>[0]) =>
          down ? Promise.reject(new Error('no store today')) : store.records.read(keys),
      },
    };
    const thresholds = { useAfterEnd: { threshold: 3 }, endedIdentity: { threshold: 3 } };
    const { detectors, ledger } = watching(failing, clock, thresholds);
    const { observer } = detectors;
    const credential = someCredential();
    const proof = { ...credential, kind: 'proof' } as const;
    const both = (): void => {
      observer.deadUse(credential);
      observer.lockedOut(proof);
    };
    both();
    await expect(detectors.run()).rejects.toThrow('no store today');
    both();
    await expect(detectors.run()).rejects.toThrow('no store today');
    both();
    down = false;
    await detectors.run();
    const reasons = (await findingsIn(ledger)).map(({ reason }) => reason);
    expect(reasons.toSorted()).toEqual(['3 within 60 s', '3 within 60 s, of parties of lab that are not told apart']);
  });
});
