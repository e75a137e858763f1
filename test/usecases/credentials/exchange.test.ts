/** The exchange, step by step: what is written when, what is refused, and what is left behind when a step fails. */
import { describe, expect, it } from '@jest/globals';
import { refOf } from '../../../src/domain/party.js';
import type { Credential } from '../../../src/domain/credential.js';
import { readCredentials } from '../../../src/ledger/credentials.js';
import { readTask } from '../../../src/ledger/tasks.js';
import type { PolicyQuery } from '../../../src/policy/query.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { StoreUnavailable, type Store } from '../../../src/store/store.js';
import type { BareBroker } from '../../support/brokers/stubbed.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';
import { refusal } from '../../support/refusal-code.js';
import { withPersons } from '../../support/brokers/use-cases.js';
import { AGENT, lmdbStore, TARGET, wholeBroker } from '../../support/brokers/use-cases.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';

describe('G1: written before minted, released only after its audit entry is durable', () => {
  it('when the minter is called the ledger knows the credential, and its task lists it', async () => {
    const seen: [Credential[], string[]][] = [];
    const broker = await wholeBroker({ minters: minting(look) });
    async function look({ id, task }: Credential) {
      const stored = await readTask(broker.deps.ledger, task);
      seen.push([
        await readCredentials(broker.deps.ledger, [id]),
        stored?.value.credentials.map((one) => one.id) ?? [],
      ]);
    }
    const { credential } = await broker.exchange();
    expect(seen).toEqual([[[credential], [credential.id]]]);
  });

  it('when it is answered its grant stands in the audit chain', async () => {
    const broker = await wholeBroker();
    const { credential, task } = await broker.exchange();
    expect(await broker.audited()).toContainEqual(
      expect.objectContaining({ type: 'credential.granted', credential: credential.id, task: task.id }),
    );
  });

  it('without an audit log nothing is released, and what was reserved is ended', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broken = { ...store, records: withoutAudit(store) };
    const broker = await wholeBroker({ store: broken, clock });
    expect(await refusal(broker.exchange())).toBe('temporarily_unavailable');
    const [ended] = await store.log.entries(0, 10);
    expect(ended).toMatchObject({ selector: { kind: 'credential' }, effect: 'end', actor: 'broker' });
  });

  it('a minter that fails leaves nothing alive', async () => {
    const broker = await wholeBroker({ minters: minting(() => Promise.reject(new Error('no'))) });
    await expect(broker.exchange()).rejects.toThrow('no');
    expect(await broker.store.log.entries(0, 10)).toHaveLength(1);
  });
});

describe('G2: nothing outlives its cause', () => {
  it('a credential ends with its task, and a task with its parent, whatever was asked', async () => {
    const broker = await wholeBroker();
    broker.clock.advance(123); // not on a whole second
    for (const [parentSeconds, childSeconds, lifetimeSeconds] of [
      [60, 999_999, 3_600],
      [999_999_999, 30, 3_600],
      [90, 90, 10],
    ] as const) {
      const parent = await broker.open({ deadlineSeconds: parentSeconds });
      const child = await broker.open({ deadlineSeconds: childSeconds, parent: parent.task.id });
      const { credential, minted } = await broker.exchange({ under: { taskId: child.task.id }, lifetimeSeconds });
      expect(parent.task.deadline).toBeLessThanOrEqual(broker.clock.now() + 28_800_000);
      expect(child.task.deadline).toBeLessThanOrEqual(parent.task.deadline);
      expect(credential.expiresAt).toBeLessThanOrEqual(child.task.deadline);
      const claims = await broker.introspect(accessTokenOf(minted.material));
      expect((claims?.exp ?? Infinity) * 1000).toBeLessThanOrEqual(credential.expiresAt);
    }
  });

  it('a task at its deadline gives nothing more', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open({ deadlineSeconds: 60 });
    broker.clock.set(task.deadline);
    expect(await refusal(broker.under(task.id))).toBe('invalid_grant');
  });
});

describe('G6: fail closed', () => {
  it('while the store is away nothing is granted and nothing is active', async () => {
    const clock = handClock();
    const store = await lmdbStore(clock);
    let away = false;
    const broker = await wholeBroker({ store: failing(store, () => away), clock });
    const issued = await broker.exchange();
    away = true;
    expect(await refusal(broker.exchange())).toBe('StoreUnavailable');
    expect(await refusal(broker.isActive(issued))).toBe('StoreUnavailable');
  });

  it('a policy engine that fails grants nothing, and nothing is written', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const { policy } = (await wholeBroker({ store: modelStore(clock), clock })).deps;
    const broken = { ...policy, decide: () => Promise.reject(new Error('engine')) };
    const broker = await wholeBroker({ store, clock, policy: broken });
    const before = store.snapshotState().records;
    await expect(broker.exchange()).rejects.toThrow('engine');
    expect(store.snapshotState().records).toEqual(before);
  });

  it('a broker that is not fit to mint does not even ask', async () => {
    const broker = await wholeBroker({
      assertFitToMint: () => {
        throw new Error('unfit');
      },
    });
    await expect(broker.exchange()).rejects.toThrow('unfit');
  });
});

describe('what policy is asked', () => {
  it('whom a renewed credential serves, though only the workload asks', async () => {
    const asked: PolicyQuery[] = [];
    const { policy, settings } = (await wholeBroker()).deps;
    const broker = await wholeBroker({
      policy: { ...policy, decide: (query) => (asked.push(query), policy.decide(query)) },
      settings: withPersons(settings),
    });
    const { task } = await broker.open({ principal: 'staff:ada' });
    asked.length = 0;
    await broker.under(task.id);
    expect(task.principal && refOf(task.principal)).toMatchObject({ id: 'staff:ada' });
    expect(asked.map(({ context }) => context)).toMatchObject([{ onBehalfOf: task.principal }]);
  });
});

describe('a revocation while it is being made', () => {
  it.each(['hold', 'cutoff'] as const)('by %s: refused, and dead for whoever got hold of it', async (effect) => {
    const stolen: string[] = [];
    const broker = await wholeBroker({ minters: minting(meanwhile) });
    async function meanwhile({ id }: Credential) {
      const selector = { kind: 'workload', value: AGENT } as const;
      await revoke(broker.deps.ledger, { selector, effect, reason: 'r', actor: 'soc' });
      stolen.push(id);
    }
    expect(await refusal(broker.exchange())).toBe('access_denied');
    const entries = await broker.store.log.entries(0, 10);
    expect(entries.map(({ selector }) => selector.value)).toEqual([AGENT, ...stolen]);
    expect(await broker.audited()).toContainEqual(
      expect.objectContaining({ type: 'credential.refused', target: TARGET }),
    );
  });
});

/** A minter during which something else happens. */
const minting = (meanwhile: (credential: Credential) => Promise<void>): BareBroker['minters'] =>
  new Map([
    [
      'jwt',
      {
        kind: 'jwt',
        async mint(credential) {
          await meanwhile(credential);
          return { material: { kind: 'jwt', token: credential.id } };
        },
      },
    ],
  ]);

const withoutAudit = ({ records }: Store): Store['records'] => ({
  ...records,
  commit: (change) =>
    change.put?.some(([key]) => key.startsWith('audit/'))
      ? Promise.reject(new StoreUnavailable('no audit'))
      : records.commit(change),
});

/** Every call is refused while `isAway`. */
function failing(store: Store, isAway: () => boolean): Store {
  const fragile = <T extends object>(part: T): T =>
    new Proxy(part, {
      get: (target, name) =>
        isAway() ? () => Promise.reject(new StoreUnavailable('away')) : Reflect.get(target, name),
    });
  return { ...store, records: fragile(store.records), log: fragile(store.log) };
}
