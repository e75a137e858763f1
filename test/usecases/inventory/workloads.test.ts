/** GET /workloads: each that called is on one page, and no page says more than its reader may know. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import type { Party } from '../../../src/domain/party.js';
import { SHARDS } from '../../../src/domain/id.js';
import { DAY_MS } from '../../../src/domain/time.js';
import { listWorkloads } from '../../../src/inventory/workloads.js';
import { knownWorkload } from '../../../src/inventory/known-workload.js';
import { createPartyMemory } from '../../../src/ledger/seen.js';
import { seenKey, workloadsIndex } from '../../../src/ledger/keys.js';
import { permitOnBroker } from '../../../src/authorization/permit-on-broker.js';
import { cause } from '../../../src/domain/selector.js';
import type { Level } from '../../../src/domain/signal.js';
import { showWorkload } from '../../../src/inventory/standing.js';
import { setRisk } from '../../../src/ledger/risk.js';
import { forgetWorkloads, readSeenWorkload, remembering, type WorkloadPlace } from '../../../src/ledger/workloads.js';
import type { Store } from '../../../src/store/store.js';
import { wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { openStoreAt, openStoreIn } from '../../support/redis-store.js';
import { startCluster, startRedis } from '../../support/redis.js';
import { until } from '../../support/until.js';

const workload = (id: string, owner?: string): Party => ({
  kind: 'workload',
  id,
  issuer: 'lab',
  claims: {},
  groups: [],
  ...(owner !== undefined && { owner }),
});

type Filter = Parameters<typeof listWorkloads>[2];

/** Returns the pages, as ids, and the cursors that led from one to the next. */
async function pages({ deps, operator }: WholeBroker, filter: Filter = {}, limit = 500) {
  const found: string[][] = [];
  const cursors: WorkloadPlace[] = [];
  for (let after: WorkloadPlace | undefined; found.length < 2_000;) {
    const { permitted, next } = await listWorkloads(deps, operator, filter, { limit, ...(after && { after }) });
    found.push(permitted.map(({ subject }) => subject.party.id));
    if (!next) break;
    after = next;
    cursors.push(next);
  }
  return { found, cursors, all: found.flat().toSorted() };
}

/** A broker whose policy lets the operator read no revocations, and tasks of this team alone. */
async function narrow(team: string, store?: Store): Promise<WholeBroker> {
  const { deps } = await wholeBroker();
  const decide: typeof deps.policy.decide = async (query) => {
    const { action, resource } = query;
    const isOwn = resource.type === 'task' && resource.task.workload.owner === team;
    return action === 'readRevocations' || (action === 'readTask' && !isOwn)
      ? { outcome: 'deny', policies: [], digest: 'one' }
      : deps.policy.decide(query);
  };
  return wholeBroker({ ...(store && { store }), policy: { ...deps.policy, decide } });
}

const named = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, place) => `lab:${name}-${place}`);

async function enter(records: Store['records'], ids: readonly string[], { owner, at }: { owner?: string; at: number }) {
  for (let start = 0; start < ids.length; start += 100) {
    const some = ids.slice(start, start + 100);
    await Promise.all(some.map((id) => records.commit(remembering(workload(id, owner), undefined, at))));
  }
}

const kept = async ({ records }: Store, owner?: string): Promise<number> =>
  (
    await Promise.all(SHARDS.map((shard) => records.count(workloadsIndex(shard, owner && cause('owner', owner)))))
  ).reduce((a, b) => a + b, 0);

let cluster: string[];
beforeAll(async () => void (cluster = (await startCluster()).urls));

describe.each<[string, (() => Promise<Store>) | undefined]>([
  ['LMDB', undefined],
  ['Redis', async () => openStoreAt((await startRedis()).url)],
  ['Redis Cluster', () => openStoreIn({ nodes: cluster }, { prefix: `test-${randomUUID()}:` })],
])('the list of workloads on %s', (_, openStore) => {
  const opened = async () => (openStore ? { store: await openStore() } : {});

  it.each([1, 7, 500])('has each once, also those of one moment, in pages of %d', async (limit) => {
    const broker = await wholeBroker(await opened());
    const ids = [...named(300, 'one'), ...named(20, 'other')];
    await enter(broker.store.records, ids.slice(0, 300), { owner: 'red', at: broker.clock.now() });
    await enter(broker.store.records, ids.slice(300), { owner: 'blue', at: broker.clock.now() + 1 });
    const { all, found } = await pages(broker, {}, limit);
    expect(all).toEqual(ids.toSorted());
    expect(found.every((page) => page.length <= limit)).toBe(true);
    expect((await pages(broker, { owner: 'blue' }, limit)).all).toEqual(named(20, 'other').toSorted());
    expect((await pages(broker, { owner: 'nobody' }, limit)).found).toEqual([[]]);
  });

  it('has the longest names, with the longest team, and forgets them too', async () => {
    const broker = await wholeBroker(await opened());
    const [id, owner] = ['lab:'.padEnd(2_048, 'x'), 'y'.repeat(2_048)];
    await enter(broker.store.records, [id], { owner, at: broker.clock.now() });
    expect([(await pages(broker)).all, (await pages(broker, { owner })).all]).toEqual([[id], [id]]);
    await forgetWorkloads(broker.deps.ledger, broker.clock.now() + 32 * DAY_MS);
    expect([await kept(broker.store), await kept(broker.store, owner)]).toEqual([0, 0]);
  });

  it('leaves out whom the caller may not know of, on as many pages as it takes', async () => {
    const { store } = await opened();
    const broker = await narrow('red', store);
    const hidden = named(2_200, 'hidden');
    await enter(broker.store.records, hidden, { owner: 'blue', at: broker.clock.now() });
    await enter(broker.store.records, named(3, 'own'), { owner: 'red', at: broker.clock.now() });
    const { all, cursors } = await pages(broker);
    expect(all).toEqual(named(3, 'own'));
    expect(cursors.length).toBeGreaterThan(0);
    expect((await pages(broker, { owner: 'blue' })).all).toEqual([]);
  });

  it('forgets who did not call for a month, with all that is kept of it', async () => {
    const broker = await wholeBroker(await opened());
    const { clock, store, deps } = broker;
    await enter(store.records, ['lab:old'], { owner: 'red', at: clock.now() });
    await enter(store.records, ['lab:again'], { owner: 'red', at: clock.now() });
    const first = clock.now();
    await enter(store.records, ['lab:again'], { owner: 'red', at: first + DAY_MS });
    await forgetWorkloads(deps.ledger, first + 32 * DAY_MS - 1);
    expect([await kept(store), await kept(store, 'red')]).toEqual([2, 2]);
    await forgetWorkloads(deps.ledger, first + 32 * DAY_MS);
    expect([await kept(store), await kept(store, 'red')]).toEqual([1, 1]);
    expect((await pages(broker)).all).toEqual(['lab:again']);
  });
});

describe('who called', () => {
  const remembered = async (broker: WholeBroker, id: string, owner?: string) =>
    until(
      async () => (await readSeenWorkload(broker.deps.ledger, id))?.party.owner === owner,
      `${id} is not of ${owner}`,
    );

  it('is in the list with its team of now, and under no other', async () => {
    const broker = await wholeBroker();
    const memory = createPartyMemory(broker.deps.ledger);
    memory.granted(workload('lab:agent-1', 'red'));
    memory.called(workload('lab:agent-2'));
    await remembered(broker, 'lab:agent-1', 'red');
    await until(async () => (await pages(broker)).all.length === 2, 'both are not in the list');
    broker.clock.advance(60_000);
    memory.called(workload('lab:agent-1', 'blue'));
    await remembered(broker, 'lab:agent-1', 'blue');
    expect((await pages(broker, { owner: 'red' })).all).toEqual([]);
    expect((await pages(broker, { owner: 'blue' })).all).toEqual(['lab:agent-1']);
    expect(await kept(broker.store)).toBe(2);
    expect(await kept(broker.store, 'red')).toBe(0);
    const { party, seenAt } = await knownWorkload(broker.deps, 'lab:agent-1');
    expect([party.owner, seenAt]).toEqual(['blue', broker.clock.now()]);
  });

  it('whose tokens name another team each time is written once a minute', async () => {
    const broker = await wholeBroker();
    let writes = 0;
    const { records } = broker.store;
    const commit: typeof records.commit = (change) => {
      writes += change.index?.length ? 1 : 0;
      return records.commit(change);
    };
    const memory = createPartyMemory({ ...broker.deps.ledger, records: { ...records, commit } });
    memory.called(workload('lab:agent-1', 'team-0'));
    await remembered(broker, 'lab:agent-1', 'team-0');
    for (let team = 1; team < 50; team += 1) memory.called(workload('lab:agent-1', `team-${team}`));
    broker.clock.advance(60_000);
    memory.called(workload('lab:agent-1', 'last'));
    await remembered(broker, 'lab:agent-1', 'last');
    expect(writes).toBe(2);
  });

  it.each(['workload', 'principal'] as const)('is found by its risk, as a %s', async (kind) => {
    const { deps, store, clock, operator } = await wholeBroker();
    const [at, ids] = [clock.now(), ['lab:calm', 'lab:odd']];
    await enter(store.records, ids, { at });
    const risk = { level: 'HIGH', at, stepSeconds: 3_600, signal: 'sig_aaaaaaaaaaaaaaaa', why: 'odd' } as const;
    await setRisk(deps.ledger, cause(kind, 'lab:odd'), risk);
    const found = async (level: Level) =>
      (await listWorkloads(deps, operator, { risk: level }, { limit: 9 })).permitted.map(
        ({ subject }) => subject.party.id,
      );
    expect([await found('HIGH'), await found('LOW')]).toEqual([['lab:odd'], ['lab:calm']]);
    const reading = await permitOnBroker(deps, operator, 'readRevocations');
    expect(await showWorkload(deps, reading, 'lab:odd')).toMatchObject({ level: 'HIGH', seenAt: at });
    clock.advance(3_600_000);
    expect([await found('HIGH'), await found('MEDIUM')]).toEqual([[], ['lab:odd']]);
  });

  it('is left out while its record cannot be read, which hides nobody else, and is entered anew', async () => {
    const broker = await wholeBroker();
    const { records } = broker.store;
    await enter(records, ['lab:good', 'lab:damaged'], { owner: 'red', at: broker.clock.now() });
    for (const text of ['{', '{"at":"x"}', '']) {
      await records.commit({ put: [[seenKey(cause('workload', 'lab:damaged')), text]] });
      expect((await pages(broker)).all).toEqual(['lab:good']);
      expect(await readSeenWorkload(broker.deps.ledger, 'lab:damaged')).toBeUndefined();
    }
    createPartyMemory(broker.deps.ledger).called(workload('lab:damaged', 'red'));
    await remembered(broker, 'lab:damaged', 'red');
    expect((await pages(broker)).all).toEqual(['lab:damaged', 'lab:good']);
  });

  it('of two brokers that are told of two teams at once, one is true, and the list has it once', async () => {
    const broker = await wholeBroker();
    const { records } = broker.store;
    const at = broker.clock.now();
    for (const team of ['red', 'blue']) await records.commit(remembering(workload('lab:a', team), undefined, at));
    expect(await kept(broker.store)).toBe(2);
    expect((await pages(broker)).all).toEqual(['lab:a']);
    expect((await pages(broker, { owner: 'red' })).all).toEqual([]);
    expect((await pages(broker, { owner: 'blue' })).all).toEqual(['lab:a']);
  });
});
