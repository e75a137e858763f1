/**
 * What a credential hangs on: the token, the records and the answer to whoever asks agree, whatever became of its task. The
 * same rule written twice has once left out a person's address and the workloads above a child.
 */
import { beforeAll, describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeJwt } from 'jose';
import { permitOnBroker } from '../../../src/authorization/permit-on-broker.js';
import { requesterByCredential } from '../../../src/authorization/requester.js';
import { issuedNow } from '../../../src/approvals/refusals.js';
import { exchangeFor } from '../../../src/credentials/exchange.js';
import { introspect } from '../../../src/credentials/introspect.js';
import type { Issued } from '../../../src/credentials/release.js';
import { defined } from '../../../src/domain/defined.js';
import type { Party } from '../../../src/domain/party.js';
import { causeOf, defaultEffect, type Cause, type Selector } from '../../../src/domain/selector.js';
import { taskText, type Task } from '../../../src/domain/task.js';
import type { AuthenticatedCaller } from '../../../src/identity/proof.js';
import { readCredential } from '../../../src/inventory/credential.js';
import { recordKey } from '../../../src/ledger/keys.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { readReadableTasks } from '../../../src/ledger/tasks.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';
import { openTask } from '../../../src/tasks/open-task.js';
import { bareBroker } from '../../support/brokers/stubbed.js';
import { lmdbStore, TARGET, wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { handClock } from '../../support/clock.js';

const WIKI = 'https://wiki.example';
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const READ = { path: 'incident/4711', actions: ['read'] };
const ADA = 'staff:ada';

let broker: WholeBroker;

beforeAll(async () => {
  const clock = handClock();
  const store = await lmdbStore(clock);
  const { settings, targets } = bareBroker(store, clock);
  const [lab] = settings.trust;
  if (lab?.kind !== 'oidc') throw new Error('the stubbed broker trusts an OIDC issuer');
  broker = await wholeBroker({
    ...{ store, clock },
    settings: {
      ...settings,
      limits: { ...settings.limits, delegationDepth: 8 },
      trust: [lab, { ...lab, name: 'staff', issuer: 'https://staff.example', represents: 'person', claims: ['email'] }],
    },
    targets: new Map([...targets, [WIKI, { resource: WIKI, minter: 'jwt', labels: [], tags: {} }]]),
    identify: (token) => Promise.resolve(callerOf(JSON.parse(token) as Wish)),
  });
});

/** Stands for an identity token. */
interface Wish {
  id: string;
  owner?: string | undefined;
  /** The run, of a workload whose id outlasts it. */
  run?: string | undefined;
  email?: string | undefined;
}

/** Fresher than any cutoff here: what was born before one is dead, what asks after it is not. */
function callerOf({ id, owner, run, email }: Wish): AuthenticatedCaller {
  const party: Party = id.startsWith('staff:')
    ? { kind: 'person', id, issuer: 'staff', claims: email === undefined ? {} : { email }, groups: [] }
    : defined({ kind: 'workload' as const, id, issuer: 'lab', claims: {}, groups: [], owner, subject: run });
  const now = broker.clock.now();
  return { party, proofHash: 'proof', issuedAt: now + 60_000, expiresAt: now + 3_600_000 };
}

async function open(opener: Wish, workload: string, more: { parent?: string; principal?: string } = {}): Promise<Task> {
  const request = { workload, purpose: 'triage', requestId: 'r', ...more };
  return (await openTask(broker.deps, callerOf(opener), request)).task;
}

const mint = (task: Task, owner?: string, person?: Wish, run?: string): Promise<Issued> => {
  const workload = { token: JSON.stringify({ id: task.workload.id, owner, run } satisfies Wish), type: JWT };
  const proofs = person
    ? { subject: { token: JSON.stringify(person), type: JWT }, actor: workload }
    : { subject: workload };
  return broker.exchange({ ...proofs, under: { taskId: task.id } });
};

async function derive(from: Issued): Promise<Issued> {
  const by = { audience: TARGET, access: READ };
  const requester = await requesterByCredential(broker.deps, accessTokenOf(from.minted.material), by);
  if (!requester) throw new Error('the token is one of ours');
  const under = { taskId: from.task.id };
  const asked = { target: WIKI, access: [READ], askedAsScope: true, under };
  return issuedNow(await exchangeFor(broker.deps, requester, { requestId: 'r', read: () => asked }));
}

const carried = ({ minted }: Issued): Set<Cause> =>
  new Set(decodeJwt(accessTokenOf(minted.material))['causes'] as Cause[]);
const answered = async ({ credential }: Issued) => {
  const soc = await permitOnBroker(broker.deps, callerOf({ id: 'lab:soc' }), 'readCredential');
  return readCredential(broker.deps.ledger, soc, credential.id);
};
const isActive = async ({ minted }: Issued): Promise<boolean> =>
  (await introspect(broker.deps, callerOf({ id: 'lab:api' }), {
    token: accessTokenOf(minted.material),
    requestId: 'r',
  })) !== undefined;
const valuesOf = (causes: readonly Selector[], kind: Selector['kind']) =>
  causes.flatMap((one) => (one.kind === kind ? [one.value] : []));

/** One thing that happens to a tree of tasks; numbers choose among what there is by then. */
type Step =
  | { do: 'open'; opener: Wish; workload: string; under: number | undefined; forAda: boolean }
  | {
      do: 'mint';
      task: number;
      owner: string | undefined;
      run: string | undefined;
      speaks: boolean;
      email: string | undefined;
    }
  | { do: 'derive'; from: number };

const maybe = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined });
const workload = fc.constantFrom('lab:one', 'lab:two', 'lab:three');
const owner = maybe(fc.constantFrom('sre', 'data'));
const run = maybe(fc.constantFrom('lab:run-1', 'lab:run-2'));
const email = maybe(fc.constantFrom('Ada@staff.example', 'ada@new.example'));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('open' as const),
    opener: fc.oneof(fc.record({ id: workload, owner, run }), fc.record({ id: fc.constant(ADA), email })),
    workload,
    under: maybe(fc.nat()),
    forAda: fc.boolean(),
  }),
  fc.record({ do: fc.constant('mint' as const), task: fc.nat(), owner, run, speaks: fc.boolean(), email }),
  fc.record({ do: fc.constant('derive' as const), from: fc.nat() }),
);

const oneOf = <T>(list: readonly T[], choice: number): T | undefined => list[choice % Math.max(1, list.length)];

async function take(next: Step, tasks: Task[], issued: Issued[]): Promise<Issued | undefined> {
  if (next.do === 'open') {
    const parent = next.under === undefined ? undefined : oneOf(tasks, next.under);
    const task = await open(next.opener, next.workload, {
      ...(parent && parent.lineage.length < 8 && { parent: parent.id }),
      ...(next.forAda && (!parent || parent.principal) && { principal: ADA }),
    });
    tasks.push(task);
    return undefined;
  }
  if (next.do === 'derive') {
    const from = oneOf(
      issued.filter(({ credential }) => credential.target === TARGET),
      next.from,
    );
    return from && derive(from);
  }
  const task = oneOf(tasks, next.task);
  const speaking = task?.principal && next.speaks ? { id: ADA, email: next.email } : undefined;
  return task && mint(task, next.owner, speaking, next.run);
}

describe('Everything that a credential hangs on', () => {
  test('is the same in its token and in the answer about it, for any tree of tasks; and each part of it ends it', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), fc.nat(), async (steps, choice) => {
        const [tasks, issued]: [Task[], Issued[]] = [[await open({ id: ADA }, 'lab:one', { principal: ADA })], []];
        for (const next of [
          ...steps,
          { do: 'mint', task: choice, owner: 'sre', run: 'lab:run-3', speaks: true, email: 'a@b.example' } as const,
        ]) {
          const one = await take(next, tasks, issued);
          if (!one) continue;
          issued.push(one);
          const { causes, unnamedCauses } = await answered(one);
          expect(new Set(causes.map(causeOf))).toEqual(carried(one));
          expect(unnamedCauses).toEqual([]);
          expect(new Set(causes.map(causeOf)).size).toBe(causes.length);
        }
        // What its task has learned since counts as well, and nothing is lost.
        for (const one of issued) {
          const { causes } = await answered(one);
          expect([...carried(one)].filter((cause) => !causes.map(causeOf).includes(cause))).toEqual([]);
        }
        const last = issued.at(-1);
        const selector = last && oneOf((await answered(last)).causes, choice);
        if (!last || !selector) return;
        expect(await isActive(last)).toBe(true);
        const effect = defaultEffect(selector.kind) === 'end' ? 'end' : 'cutoff';
        await revoke(broker.deps.ledger, { selector, effect, reason: 'test', actor: 'test' });
        expect(await isActive(last)).toBe(false);
        broker.clock.advance(10_000); // Past the skew: what the next tree mints is fresher than this cutoff.
      }),
      { numRuns: 60 },
    ));

  it('keeps the names of teams and addresses that its task no longer shows, and dies with them', async () => {
    const task = await open({ id: 'lab:boss' }, 'lab:one', { principal: ADA });
    await mint(task, 'sre', { id: ADA, email: 'ada@old.example' });
    const later = await mint(task, 'data', { id: ADA, email: 'ada@new.example' });
    const { causes } = await answered(later);
    expect(valuesOf(causes, 'owner')).toEqual(['data', 'sre']);
    expect(valuesOf(causes, 'principal')).toEqual([
      ...[ADA, 'email:staff/ada@new.example'],
      'email:staff/ada@old.example',
    ]);
    const selector = { kind: 'principal', value: 'email:staff/ada@old.example' } as const;
    await revoke(broker.deps.ledger, { selector, effect: 'hold', reason: 'test', actor: 'test' });
    expect(await isActive(later)).toBe(false);
    await expect(mint(task, 'data', { id: ADA, email: 'ada@new.example' })).rejects.toThrow('hold');
  });

  it('keeps dying with teams of which there were too many to keep their names', async () => {
    const task = await open({ id: 'lab:boss' }, 'lab:one');
    const teams = Array.from({ length: 12 }, (_, index) => `team-${index}`);
    const credentials = [];
    for (const team of teams) credentials.push(await mint(task, team));
    const last = credentials.at(-1) ?? (await mint(task, 'data'));
    const { causes, unnamedCauses } = await answered(last);
    expect(valuesOf(causes, 'owner')).toHaveLength(9);
    expect(unnamedCauses).toHaveLength(3);
    expect(new Set([...unnamedCauses, ...causes.map(causeOf)])).toEqual(carried(last));
    await revoke(broker.deps.ledger, {
      selector: { kind: 'owner', value: 'team-10' },
      effect: 'cutoff',
      reason: 'test',
      actor: 'test',
    });
    expect(await isActive(last)).toBe(false);
  });

  it('a child has of its parent what that hung on when the child was born, and nothing that came later', async () => {
    const parent = await open({ id: 'lab:boss' }, 'lab:one');
    await mint(parent, 'sre');
    const child = await open({ id: 'lab:boss' }, 'lab:two', { parent: parent.id });
    await mint(parent, 'data');
    const { causes } = await answered(await mint(child));
    expect(valuesOf(causes, 'owner')).toEqual(['sre']);
  });
});

describe('One run of a workload', () => {
  const act = (selector: Selector, effect: 'hold' | 'cutoff') =>
    revoke(broker.deps.ledger, { selector, effect, reason: 'test', actor: 'test' });
  const later = () => broker.clock.advance(10_000);

  it('is ended alone: what other runs of the workload have lives on, also under the same task', async () => {
    const task = await open({ id: 'lab:boss' }, 'lab:one');
    const [first, second] = [
      await mint(task, 'sre', undefined, 'lab:r1'),
      await mint(task, 'sre', undefined, 'lab:r2'),
    ];
    await act({ kind: 'subject', value: 'lab:r1' }, 'hold');
    expect([await isActive(first), await isActive(second)]).toEqual([false, true]);
    await expect(mint(task, 'sre', undefined, 'lab:r1')).rejects.toThrow('hold');
    await expect(mint(task, 'sre', undefined, 'lab:r2')).resolves.toBeDefined();
    later();
  });

  it('takes with it the tasks that it opened, and what is derived from its credentials', async () => {
    const opened = await open({ id: 'lab:one', run: 'lab:r3' }, 'lab:one');
    const other = await mint(opened, 'sre', undefined, 'lab:r4');
    const derived = await derive(await mint(await open({ id: 'lab:boss' }, 'lab:two'), 'sre', undefined, 'lab:r3'));
    await act({ kind: 'subject', value: 'lab:r3' }, 'cutoff');
    expect([await isActive(other), await isActive(derived)]).toEqual([false, false]);
    later();
  });

  it('cannot escape a hold of its workload, whatever its subject is called', async () => {
    const task = await open({ id: 'lab:boss' }, 'lab:held');
    const issued = [await mint(task, 'sre', undefined, 'lab:r5'), await mint(task, 'sre', undefined, 'lab:r6')];
    await act({ kind: 'workload', value: 'lab:held' }, 'hold');
    expect(await Promise.all(issued.map(isActive))).toEqual([false, false]);
    await expect(mint(task, 'sre', undefined, 'lab:never-seen-before')).rejects.toThrow('hold');
  });
});

describe('A record of an ancestor that is gone', () => {
  it.each([
    ['has expired', taskText, 0],
    ['cannot be read', () => '{"broken"', Infinity],
  ] as const)(
    'and %s hides its own names and nothing else: the others are named, its own are causes',
    async (_, textOf, lives) => {
      const root = await open({ id: 'lab:boss', owner: 'bosses' }, 'lab:one');
      const parent = await open({ id: 'lab:two' }, 'lab:two', { parent: root.id });
      const credential = await mint(await open({ id: 'lab:three' }, 'lab:three', { parent: parent.id }), 'sre');
      const expiry = lives === 0 ? ([broker.clock.now()] as const) : ([] as const);
      await broker.store.records.commit({ put: [[recordKey(root.id), textOf(root), ...expiry]] });
      broker.clock.advance(1);
      expect(await readReadableTasks(broker.deps.ledger, [root.id])).toEqual([]);

      const { causes, unnamedCauses } = await answered(credential);
      expect(valuesOf(causes, 'task')).toEqual([credential.task.id, root.id, parent.id]);
      expect(valuesOf(causes, 'workload')).toEqual(['lab:three', 'lab:two']);
      const gone: Selector[] = [
        { kind: 'workload', value: 'lab:one' },
        { kind: 'workload', value: 'lab:boss' },
        { kind: 'owner', value: 'bosses' },
        { kind: 'principal', value: 'lab:one' },
      ];
      expect(new Set(unnamedCauses)).toEqual(new Set(gone.map(causeOf)));
      expect(new Set([...unnamedCauses, ...causes.map(causeOf)])).toEqual(carried(credential));
      await revoke(broker.deps.ledger, {
        selector: gone[0] ?? NOBODY,
        effect: 'cutoff',
        reason: 'test',
        actor: 'test',
      });
      expect(await isActive(credential)).toBe(false);
    },
  );

  it('a record that holds an earlier team as a cause alone still dies with that team', async () => {
    const task = await open({ id: 'lab:boss' }, 'lab:one');
    const sre = causeOf({ kind: 'owner', value: 'sre' });
    const { records } = broker.store;
    const [stored = ''] = await records.read([recordKey(task.id)]);
    const older = JSON.stringify({ ...(JSON.parse(stored) as object), inherits: [sre] });
    expect(await records.commit({ expect: [[recordKey(task.id), stored]], put: [[recordKey(task.id), older]] })).toBe(
      true,
    );
    const credential = await mint(task, 'data');
    expect(await answered(credential)).toMatchObject({ unnamedCauses: [sre] });
    await revoke(broker.deps.ledger, {
      selector: { kind: 'owner', value: 'sre' },
      effect: 'cutoff',
      reason: 'test',
      actor: 'test',
    });
    expect(await isActive(credential)).toBe(false);
  });
});

const NOBODY: Selector = { kind: 'workload', value: 'lab:nobody' };
