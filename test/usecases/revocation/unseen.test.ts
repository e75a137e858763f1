/** A revocation of a name that is misspelt must not look like a success. */
import { describe, expect, it } from '@jest/globals';
import { trustSchema } from '../../../src/config/trust-schema.js';
import type { Selector, SelectorKind } from '../../../src/domain/selector.js';
import { createPartyMemory, NEW_NAMES_PER_ISSUER } from '../../../src/ledger/seen.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { assertSeen } from '../../../src/revocation/assert-seen.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';
import { AGENT, TARGET, wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { StoreUnavailable } from '../../../src/store/store.js';

const trust = [
  { name: 'lab', kind: 'oidc', issuer: 'https://lab.example' },
  { name: 'fleet', kind: 'oidc', issuer: 'https://fleet.example', owner: { value: 'platform' } },
  { name: 'staff', kind: 'oidc', issuer: 'https://staff.example', represents: 'person', claims: ['email'] },
  { name: 'guests', kind: 'oidc', issuer: 'https://guests.example', represents: 'person' },
  { name: 'prod', kind: 'spiffe', trustDomain: 'prod.example', bundle: { file: 'bundle.json' } },
].map((entry) => trustSchema.parse(entry));
const settings = { trust, targets: [TARGET] };

const inMemory = () => {
  const clock = handClock();
  return wholeBroker({ store: modelStore(clock), clock });
};

const judge = async (broker: WholeBroker, kind: SelectorKind, value: string, unseen = false): Promise<unknown> => {
  const deps = { ledger: broker.deps.ledger, settings };
  return assertSeen(deps, { kind, value }, { unseen, by: '"unseen": true' }).catch((error: unknown) => String(error));
};

describe('a name that no configured issuer could prove', () => {
  it.each<[SelectorKind, string, string]>([
    ['workload', 'agent-7', 'Did you mean lab:agent-7 or fleet:agent-7?'],
    ['principal', 'agent-7', 'Did you mean lab:agent-7 or fleet:agent-7 or staff:agent-7?'],
    ['workload', 'lba:agent-7', 'Did you mean lab:agent-7?'],
    ['workload', 'flet:repo:org/app:x', 'Did you mean fleet:repo:org/app:x?'],
    ['workload', 'LAB:agent-7', 'Did you mean lab:agent-7?'],
    ['issuer', 'labs', 'Did you mean lab?'],
    ['issuer', 'okta', 'would hit nobody.'],
    ['workload', 'prod:agent-7', 'would hit nobody'],
    ['workload', 'spiffe://other.example/agent', 'would hit nobody'],
    ['workload', 'spiffe://prod.example/', 'would hit nobody'],
    ['workload', 'lab:', 'would hit nobody'],
    ['workload', 'staff:ada', 'would hit nobody'],
    ['principal', 'email:other/ada@staff.example', 'would hit nobody'],
    ['principal', 'email:staff/', 'would hit nobody'],
    ['principal', 'email:lab/ada@staff.example', 'would hit nobody'],
    ['principal', 'email:guests/ada@staff.example', 'would hit nobody'],
  ])('is refused, whatever the caller insists on: %s %s', async (kind, value, text) => {
    const broker = await inMemory();
    for (const unseen of [false, true]) expect(await judge(broker, kind, value, unseen)).toContain(text);
  });
});

describe('a name of which nothing was ever seen', () => {
  it.each<[SelectorKind, string, string?]>([
    ['workload', 'lab:agnet-7'],
    ['workload', 'spiffe://prod.example/agent'],
    ['principal', 'staff:ada'],
    ['principal', 'email:staff/ada@staff.example'],
    ['owner', 'SRE'],
    ['owner', 'platfrom', 'platform'],
    ['target', 'https://tickest.example', TARGET],
    ['task', 'tsk_aaaaaaaaaaaaaaaa'],
    ['credential', 'crd_aaaaaaaaaaaaaaaa'],
  ])('needs the word of the caller: %s %s', async (kind, value, meant = '') => {
    const broker = await inMemory();
    const text = await judge(broker, kind, value);
    if (meant === '') expect(text).not.toContain('Did you mean');
    expect(text).toContain('If it is meant, say "unseen": true.');
    if (meant !== '') expect(text).toContain(`Did you mean ${meant}?`);
    expect(await judge(broker, kind, value, true)).toBe(false);
  });
});

it('of a team that was seen, the spelling is offered', async () => {
  const broker = await inMemory();
  await broker.exchange();
  expect(await judge(broker, 'owner', 'SRE')).toContain('Did you mean sre?');
});

it('with more open tasks than are looked at, nobody is called seen or unseen', async () => {
  const broker = await inMemory();
  for (let count = 0; count <= 1_000; count += 1) await broker.exchange();
  const unknown: [SelectorKind, string][] = [
    ['owner', 'srx-never-seen'],
    ['principal', 'lab:nobody'],
    ['target', 'https://tickets.exmaple'],
  ];
  for (const [kind, value] of unknown) expect([kind, await judge(broker, kind, value)]).toEqual([kind, undefined]);
  expect(await judge(broker, 'workload', 'lab:agnet-7')).toContain('Nothing was ever seen here');
});

describe('what is known', () => {
  const everything = ({ task, credential }: { task: string; credential: string }): Selector[] => [
    { kind: 'workload', value: AGENT },
    { kind: 'principal', value: AGENT },
    { kind: 'owner', value: 'sre' },
    { kind: 'task', value: task },
    { kind: 'credential', value: credential },
    { kind: 'issuer', value: 'fleet' },
    { kind: 'owner', value: 'platform' },
    { kind: 'target', value: TARGET },
    { kind: 'all', value: '' },
  ];

  it('by an open task, or by the configuration', async () => {
    const broker = await inMemory();
    const { task, credential } = await broker.exchange();
    for (const { kind, value } of everything({ task: task.id, credential: credential.id }))
      expect([kind, await judge(broker, kind, value)]).toEqual([kind, true]);
  });

  it('by a task of a workload that is ended already, so that it can be ordered again', async () => {
    const broker = await inMemory();
    await broker.exchange();
    const selector = { kind: 'workload', value: AGENT } as const;
    await revoke(broker.deps.ledger, { selector, effect: 'cutoff', reason: 'test', actor: 'test' });
    expect(await judge(broker, 'workload', AGENT)).toBe(true);
    expect(await judge(broker, 'workload', 'lab:agnet-7')).toContain('Nothing was ever seen here');
  });

  it('by having called, but only so many new names of an issuer in an hour; who is granted something always', async () => {
    const broker = await inMemory();
    const { ledger } = broker.deps;
    const memory = createPartyMemory(ledger);
    const named = (id: string) => ({ kind: 'workload', id, issuer: 'lab', claims: {}, groups: [] }) as const;
    const isKnown = async (id: string) => (await judge(broker, 'workload', id)) === true;
    for (let i = 0; i <= NEW_NAMES_PER_ISSUER; i += 1) memory.called(named(`lab:branch-${i}`));
    memory.called(named('lab:late'));
    await new Promise(setImmediate);
    expect(await isKnown('lab:branch-0')).toBe(true);
    expect(await isKnown('lab:late')).toBe(false);
    memory.called({ ...named('fleet:other'), issuer: 'fleet' });
    memory.granted(named('lab:late'));
    await new Promise(setImmediate);
    expect([await isKnown('fleet:other'), await isKnown('lab:late')]).toEqual([true, true]);

    broker.clock.advance(3_600_000);
    memory.called(named('lab:later'));
    await new Promise(setImmediate);
    expect(await isKnown('lab:later')).toBe(true);
  });

  it('by having called within a month, also under an issuer that is configured no more', async () => {
    const broker = await inMemory();
    const { ledger } = broker.deps;
    const person = {
      kind: 'person',
      id: 'left:ada',
      issuer: 'left',
      groups: [],
      claims: { email: 'Ada@left.example' },
    } as const;
    createPartyMemory(ledger).called(person);
    createPartyMemory(ledger).called(broker.agent.party);
    const selectors: [SelectorKind, string][] = [
      ['workload', AGENT],
      ['owner', 'sre'],
      ['principal', 'left:ada'],
      ['principal', 'email:left/ada@left.example'],
      ['issuer', 'left'],
    ];
    await new Promise(setImmediate); // Nobody waits for these writes.
    for (const [kind, value] of selectors) expect([value, await judge(broker, kind, value)]).toEqual([value, true]);
    broker.clock.advance(33 * 86_400_000);
    for (const [kind, value] of selectors) expect([value, await judge(broker, kind, value)]).not.toEqual([value, true]);
  });

  it('nobody knows while the store cannot say, and then no revocation is refused', async () => {
    const broker = await inMemory();
    const records = { ...broker.deps.ledger.records, read: () => Promise.reject(new StoreUnavailable('away')) };
    const ledger = { ...broker.deps.ledger, records };
    const insistence = { unseen: false, by: '' };
    for (const value of ['lab:agnet-7', 'agent-7'])
      expect(await assertSeen({ ledger, settings }, { kind: 'workload', value }, insistence)).toBeUndefined();
  });
});
