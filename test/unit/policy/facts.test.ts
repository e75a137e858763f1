/** What the audit log keeps of a query is enough to ask it again, and never holds what could be a secret. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decisionSchema } from '../../../src/domain/decision.js';
import { defined } from '../../../src/domain/defined.js';
import type { Party, PartyRef } from '../../../src/domain/party.js';
import { LEVELS } from '../../../src/domain/signal.js';
import { keptFacts, queriesOf } from '../../../src/policy/facts.js';
import type { PolicyQuery } from '../../../src/policy/query.js';
import { person, TICKETS, toAccess, toOperate, workload } from '../../support/policy.js';

const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const word = fc.constantFrom('a', 'b', 'refs/heads/main', '');
const claims = fc.dictionary(fc.constantFrom('ref', 'roles', 'teams'), fc.oneof(word, fc.array(word)));
const unread = some(fc.array(word, { minLength: 1 }));
const aWorkload = fc
  .record({ owner: some(word), claims, unread, subject: some(word), run: some(word) })
  .map((more): Party => defined({ ...workload('lab:agent-7'), ...more }) as Party);
const aPerson = fc
  .record({ groups: fc.array(word), claims, unread, session: some(word) })
  .map((more): Party => defined({ ...person('staff:ann'), ...more }) as Party);
const aRef: fc.Arbitrary<PartyRef> = fc
  .record({ id: fc.constantFrom('lab:x', 'lab:y'), owner: some(word), subject: some(word) })
  .map((more) => defined({ kind: 'workload' as const, issuer: 'lab', ...more }) as PartyRef);

const access = fc
  .record({
    by: aWorkload,
    purpose: word,
    purposeFrom: fc.constantFrom('opener', 'agent', 'default'),
    lifetimeSeconds: fc.integer({ min: 1, max: 9_000 }),
    delegationDepth: fc.nat(4),
    onBehalfOf: some(aPerson),
    principalProven: fc.boolean(),
    openedBy: some(aRef),
    chain: fc.array(aRef, { maxLength: 3 }),
    approvals: fc.array(word, { maxLength: 2 }),
    risk: fc.constantFrom(...LEVELS),
  })
  .map(({ by, chain, ...context }) =>
    toAccess('incident/4711', 'read', { by, context: defined({ ...context, chain, delegatedBy: chain[0] }) }),
  );

const operation = fc
  .record({
    by: fc.oneof(aWorkload, aPerson),
    resource: fc.oneof(
      fc.constant({ type: 'broker' } as const),
      fc.constant({ type: 'target', target: TICKETS } as const),
      fc.record({ group: word, workload: aRef, onBehalfOf: some(aPerson), purpose: word }).map((approval) => ({
        type: 'approval' as const,
        approval: defined({ id: 'apr_1', target: TICKETS, access: [], ...approval }),
      })),
      fc
        .record({ id: some(word), workload: aRef, purpose: word, openedBy: some(aRef) })
        .map((task) => ({ type: 'task' as const, task: defined(task) })),
    ),
    revocation: some(fc.record({ kind: word, value: word, effect: word, dryRun: fc.boolean() })),
    emergency: some(fc.record({ own: fc.boolean() })),
    run: some(fc.record({ issuer: word, run: word, own: fc.boolean() })),
    opening: some(
      fc
        .record({
          lifetimeSeconds: fc.nat(9_000),
          onBehalfOf: some(aPerson),
          principalProven: fc.boolean(),
          delegationDepth: fc.nat(3),
          chain: fc.array(aRef, { maxLength: 3 }),
        })
        .map((opening) => defined({ ...opening, delegatedBy: opening.chain[0] })),
    ),
  })
  .map(({ by, resource, ...context }) => toOperate('revoke', resource, by, defined(context) as object));

/** Returns the query with what policy may know of it, and nothing else. */
function known(query: PolicyQuery): unknown {
  const text = JSON.stringify(query, (name, value: unknown) => {
    if (['subject', 'session', 'run'].includes(name) && typeof value === 'string' && value !== 'own') return undefined;
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    return isEmpty && ['claims', 'groups'].includes(name) ? undefined : value;
  });
  return JSON.parse(text);
}

const PAIR = { target: TICKETS, path: 'incident/4711', action: 'read' };

describe('a query', () => {
  it('is asked again as it was, from what the audit log keeps', () => {
    fc.assert(
      fc.property(fc.oneof(access, operation), (query) => {
        const { facts } = keptFacts(query);
        const kept = decisionSchema.shape.facts.parse(JSON.parse(JSON.stringify(facts)));
        expect(kept && queriesOf(kept, [PAIR]).map(known)).toEqual([known(query)]);
      }),
    );
  });

  it('to open a task with the same request is asked again too, first', () => {
    const facts = keptFacts(toAccess('incident/4711'), { openedFor: 600 }).facts!;
    expect(queriesOf(facts, [PAIR])).toMatchObject([
      {
        action: 'openTask',
        resource: { type: 'task', task: { workload: { id: 'lab:agent-7' }, purpose: 'summarise incident 4711' } },
        context: { opening: { lifetimeSeconds: 600, principalProven: false } },
      },
      { action: 'read', resource: { path: 'incident/4711' } },
    ]);
  });

  it('to open a task under another is asked again about both', () => {
    const task = (purpose: string) => ({ workload: workload(), purpose });
    const query = toOperate('openTask', { type: 'task', task: task('below') });
    const { facts } = keptFacts(query, { parent: { ...task('above'), id: 'tsk_1' } });
    expect(queriesOf(facts!, []).map(({ resource }) => resource)).toMatchObject([
      { task: { id: 'tsk_1', purpose: 'above' } },
      { task: { purpose: 'below' } },
    ]);
  });

  it('says which pair was not permitted, and that an API said something, but not what', () => {
    const given = { subject: {}, action: {}, resource: { claims: { status: 'private' } }, context: {} };
    const query = toAccess('incident/4711', 'write', { context: { given: given as never } });
    const { facts } = keptFacts(query, { isRefused: true });
    expect(facts?.access).toMatchObject({ refused: { action: 'write', path: 'incident/4711' }, given: true });
    expect(JSON.stringify(facts)).not.toContain('private');
  });
});

const header = Buffer.from('{"alg":"ES256"}').toString('base64url');
const JWT = [header, 'e30', 'AAAAAAAAAAAAAAAAAAAAAAAA'].join('.');

describe('nothing is kept of a query', () => {
  it.each([
    ['a purpose with a token', toAccess('incident/4711', 'read', { context: { purpose: `for ${JWT}` } })],
    ['a claim with a token', toAccess('incident/4711', 'read', { by: workload('lab:a', { claims: { ref: JWT } }) })],
    [
      'a purpose of a task with a token',
      toOperate('openTask', { type: 'task', task: { workload: workload(), purpose: JWT } }),
    ],
    [
      'a revocation of a token',
      toOperate('revoke', { type: 'broker' }, workload(), {
        revocation: { kind: 'credential', value: JWT, effect: 'end', dryRun: false },
      }),
    ],
    ['a target that is none', toOperate('reportUsage', { type: 'target', target: 'hunter2' })],
  ])('that may hold a secret: %s', (_, query) => {
    expect(keptFacts(query)).toEqual({ unkept: 'may-hold-a-secret' });
  });

  it('that is too long', () => {
    const groups = Array.from({ length: 400 }, (_, index) => `a-group-${index}`);
    const query = toAccess('incident/4711', 'read', { context: { onBehalfOf: person('staff:ann', groups) } });
    expect(keptFacts(query)).toEqual({ unkept: 'too-long' });
  });
});
