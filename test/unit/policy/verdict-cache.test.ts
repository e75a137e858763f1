/** A cached verdict equals the verdict that the policies would give, also where one verdict serves many paths. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Given } from '../../../src/domain/party.js';
import { createCedarEngine } from '../../../src/policy/cedar/cedar.js';
import { verdictCache } from '../../../src/policy/cedar/verdict-cache.js';
import type { Verdict } from '../../../src/policy/policy-engine.js';
import {
  configuredWith,
  person,
  TICKETS,
  ticketsTarget,
  toAccess,
  toOperate,
  workload,
  writePolicies,
} from '../../support/policy.js';

const POLICIES = `
@id("reads") permit (principal, action == Action::"read", resource in Resource::"${TICKETS}#a");
@id("one") forbid (principal, action == Action::"read", resource == Resource::"${TICKETS}#a/b");
@id("under") forbid (principal, action == Action::"read", resource in Resource::"${TICKETS}#a/c/b")
  unless { resource == Resource::"${TICKETS}#a/c/b/a" };
@id("opens") permit (principal, action == Action::"openTask", resource)
  unless { context.chainOwners.contains(Owner::"web") && context.delegationDepth > 1 };
@id("not-for-one") forbid (principal, action == Action::"read", resource)
  when { context has onBehalfOf && context.onBehalfOf == Person::"corp:p" && context.principalProven };
@id("not-back") forbid (principal is Workload, action == Action::"read", resource)
  when { context.chain.contains(principal) || context.chain.contains(Workload::"lab:c") };
@id("labelled") @lifetime("60") forbid (principal, action in Action::"access", resource)
  when { resource.sensitivity.contains("restricted") && context.lifetimeSeconds > 60 };
`;
const target = ticketsTarget({ labels: [{ match: 'a/*/c/**', sensitivity: ['restricted'] }] });
const directory = writePolicies({ 'a.cedar': POLICIES });
const path = fc
  .array(fc.constantFrom('a', 'b', 'c', 'd', '*'), { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join('/'));

const OTHER = 'https://wiki.example';
const party = fc
  .record({
    id: fc.constantFrom('lab:a', 'lab:b'),
    owner: fc.constantFrom('sre', 'web'),
    ref: fc.constantFrom('main', 'x'),
  })
  .map(({ id, owner, ref }) => workload(id, { owner, claims: { ref } }));
const purpose = fc.constantFrom('triage', 'review');
const lifetimeSeconds = fc.constantFrom(30, 300);
const served = fc.constantFrom<string[][]>([], ['on-call']).map((groups) => person('corp:p', groups));
const saying = (status: string): Given => {
  const nothing = { claims: {}, unread: [] };
  return { subject: nothing, action: nothing, context: nothing, resource: { claims: { status }, unread: [] } };
};
const query = fc.oneof(
  fc
    .record({
      by: party,
      target: fc.constantFrom(TICKETS, OTHER, 'https://nobody.example'),
      context: fc.record({
        purpose,
        lifetimeSeconds,
        risk: fc.constantFrom('LOW' as const, 'HIGH' as const),
        given: fc.constantFrom('open', 'closed').map(saying),
        onBehalfOf: fc.constantFrom('corp:p', 'corp:q', 'corp:r').map((id) => person(id)),
        principalProven: fc.boolean(),
        chain: fc.array(
          fc.constantFrom('lab:a', 'lab:b', 'lab:c', 'lab:d').map((id) => workload(id)),
          { maxLength: 2 },
        ),
      }),
    })
    .map((asked) => toAccess('a/1', 'read', asked)),
  fc
    .record({ by: party, workload: party, purpose, lifetimeSeconds, onBehalfOf: served, chain: fc.array(party) })
    .map(({ by, workload, purpose, ...opening }) =>
      toOperate('openTask', { type: 'task', task: { workload, purpose } }, by, {
        opening: { ...opening, principalProven: true, delegationDepth: opening.chain.length },
      }),
    ),
  fc
    .record({ by: party, target: fc.constantFrom(TICKETS, OTHER) })
    .map(({ by, target }) => toOperate('introspect', { type: 'target', target }, by)),
);

describe('Verdicts that are remembered', () => {
  it('are those of all parties of whom the same is known, except where a policy names one, or asks whether two are the same', async () => {
    let evaluations = 0;
    const engine = await createCedarEngine({
      directory,
      configured: configuredWith([target]),
      maxCachedVerdicts: 1_000,
      onEvaluation: () => (evaluations += 1),
    });
    const costOf = async (onBehalfOf: string, chain: string[]) => {
      const before = evaluations;
      const context = { onBehalfOf: person(onBehalfOf), principalProven: true, chain: chain.map((id) => workload(id)) };
      const { outcome } = await engine.decide(toAccess('a/1', 'read', { by: workload('lab:a'), context }));
      return [outcome, evaluations > before ? 'asked' : 'remembered'];
    };
    expect(await costOf('corp:q', ['lab:b'])).toEqual(['permit', 'asked']);
    expect(await costOf('corp:r', ['lab:b'])).toEqual(['permit', 'remembered']);
    expect(await costOf('corp:r', ['lab:d'])).toEqual(['permit', 'remembered']);
    expect(await costOf('corp:p', ['lab:d'])).toEqual(['deny', 'asked']);
    expect(await costOf('corp:r', ['lab:a'])).toEqual(['deny', 'asked']);
    expect(await costOf('corp:r', ['lab:c'])).toEqual(['deny', 'asked']);
  });

  it('are what an engine without a memory says, whatever was asked before', async () => {
    const [remembering, forgetful] = await Promise.all(
      [1_000, 0].map((maxCachedVerdicts) =>
        createCedarEngine({ directory, configured: configuredWith([target]), maxCachedVerdicts }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(path, async (one) => {
        const query = toAccess(one);
        expect(await remembering!.decide(query)).toEqual(await forgetful!.decide(query));
      }),
      { numRuns: 400 },
    );
  });

  it("are no other party's, and of no other request, task or target", async () => {
    const policies = `
      @id("ref") permit (principal, action in Action::"access", resource in Target::"${TICKETS}") when { principal.hasTag("ref") && principal.getTag("ref") == "main" };
      @id("people") permit (principal, action == Action::"openTask", resource)
        when { resource.workload in Owner::"sre" && resource.purpose == "triage" && context has onBehalfOf && context.onBehalfOf in Group::"on-call" };
      @id("short") @lifetime("60") forbid (principal, action in Action::"access", resource)
        when { context.lifetimeSeconds > 60 && context.purpose == "triage" };
      @id("risky") forbid (principal, action in Action::"access", resource) when { context.risk == "HIGH" };
      @id("closed") forbid (principal, action in Action::"access", resource)
        when { context has given && context.given.resource.hasTag("status") && context.given.resource.getTag("status") == "closed" };
      @id("asks") permit (principal in Owner::"sre", action == Action::"introspect", resource == Target::"${TICKETS}");`;
    const targets = [target, ticketsTarget({ resource: OTHER })];
    const [remembering, forgetful] = await Promise.all(
      [1_000, 0].map((maxCachedVerdicts) =>
        createCedarEngine({
          directory: writePolicies({ 'a.cedar': policies }),
          configured: configuredWith(targets),
          maxCachedVerdicts,
        }),
      ),
    );
    const outcomes = new Set<string>();
    await fc.assert(
      fc.asyncProperty(query, async (one) => {
        const verdict = await forgetful!.decide(one);
        outcomes.add(JSON.stringify([one.resource.type, verdict.outcome, verdict.policies]));
        expect(await remembering!.decide(one)).toEqual(verdict);
      }),
      { numRuns: 500 },
    );
    expect(outcomes.size).toBeGreaterThan(8);
  });

  it('are shared by paths that no policy and no label distinguishes, and by no others', async () => {
    const engine = await createCedarEngine({ directory, configured: configuredWith([target]), maxCachedVerdicts: 1 });
    // Equal queries are counted once.
    const isShared = (...paths: string[]) =>
      engine.evaluationsOf(paths.map((one) => toAccess(one))) === engine.evaluationsOf([toAccess(paths[0]!)]);
    expect(isShared('a/1', 'a/2')).toBe(true);
    expect(isShared('x/1', 'y/2/z')).toBe(true);
    expect(isShared('a/c/b/1', 'a/c/b/2')).toBe(true);
    expect(isShared('a/1/*', 'a/2/*')).toBe(true);
    expect(isShared('x/1', 'x/**')).toBe(true);
    const apart = ['a/1', 'x/1', 'a/b', 'a/x/c/1', 'a/c/b', 'a/c/b/1', 'a/c/b/a', 'a/*'];
    for (const one of apart)
      for (const other of apart) expect([one, other, isShared(one, other)]).toEqual([one, other, one === other]);
  });

  it('are no more than were allowed: the one that was asked for longest ago goes first', async () => {
    const cache = verdictCache(2);
    const decided: string[] = [];
    const ask = (key: string) => cache.remember(key, () => (decided.push(key), Promise.resolve(verdictOf(key))));
    for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) expect((await ask(key)).policies).toEqual([key]);
    expect(decided).toEqual(['a', 'b', 'c', 'b']);
  });

  it('cannot be changed by one of the callers that share them', async () => {
    const verdict = await verdictCache(1).remember('a', () =>
      Promise.resolve({ ...verdictOf('a'), needs: [{ group: 'sre', approvers: 1 }] }),
    );
    for (const part of [verdict, verdict.policies, verdict.needs]) expect(Object.isFrozen(part)).toBe(true);
  });
});

const verdictOf = (policy: string): Verdict => ({ outcome: 'permit', policies: [policy], digest: 'all' });
