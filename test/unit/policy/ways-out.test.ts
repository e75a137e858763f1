/** A forbid with a way out: when the way out is taken, and which grants must never follow from it. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Rule } from '../../../src/policy/cedar/policy-file.js';
import { settle, type Answer, type Ask, type Terms } from '../../../src/policy/cedar/ways-out.js';

interface Applies extends Rule {
  when?: (terms: Terms) => boolean;
}

/** Cedar's rule: one applying forbid outweighs all permits. */
function answer(policies: Record<string, Applies>, terms: Terms): Answer {
  const applying = Object.entries(policies).filter(([, { when }]) => when?.(terms) ?? true);
  const of = (effect: string) => applying.filter(([, policy]) => policy.effect === effect).map(([id]) => id);
  const forbids = of('forbid');
  return {
    allowed: forbids.length === 0 && of('permit').length > 0,
    failed: false,
    policies: forbids.length > 0 ? forbids : of('permit'),
  };
}

const over = (seconds: number) => (terms: Terms) => (terms.lifetimeSeconds ?? 0) > seconds;
const without = (group: string) => (terms: Terms) => !terms.approvals?.includes(group);
const settled = (policies: Record<string, Applies>, asked: Terms = { lifetimeSeconds: 300, approvals: [] }) =>
  settle((terms) => [answer(policies, terms)], new Map(Object.entries(policies)), asked);

const permit: Applies = { effect: 'permit' };
const cap = (seconds: number): Applies => ({ effect: 'forbid', lifetimeSeconds: seconds, when: over(seconds) });
const consent = (group: string): Applies => ({ effect: 'forbid', approval: group, when: without(group) });

describe('a forbid with @lifetime', () => {
  it('shortens what is granted, and stands among what decided', async () => {
    expect(await settled({ permit, cap: cap(60) })).toEqual({
      outcome: 'permit',
      lifetimeSeconds: 60,
      policies: ['cap', 'permit'],
    });
  });
  it('changes nothing for who asks for less', async () => {
    expect(await settled({ permit, cap: cap(600) })).toEqual({
      outcome: 'permit',
      lifetimeSeconds: 300,
      policies: ['permit'],
    });
  });
  it('grants nothing by itself', async () => {
    expect(await settled({ cap: cap(60) })).toEqual({ outcome: 'deny', why: 'no-permit', policies: [] });
  });
  it('with several, the shortest holds', async () => {
    expect(await settled({ permit, a: cap(120), b: cap(60) })).toMatchObject({
      outcome: 'permit',
      lifetimeSeconds: 60,
    });
  });
  it('is no way out when its condition does not care for the lifetime', async () => {
    const always: Applies = { effect: 'forbid', lifetimeSeconds: 60 };
    expect(await settled({ permit, always })).toMatchObject({ outcome: 'deny', policies: ['always'] });
  });
  it('is no way out where the question has no lifetime', async () => {
    const always: Applies = { effect: 'forbid', lifetimeSeconds: 60 };
    expect(await settled({ permit, always }, {})).toEqual({
      outcome: 'deny',
      why: 'forbidden',
      policies: ['always'],
    });
  });
});

describe('a forbid with @approval', () => {
  it('names its group; several name all of theirs', async () => {
    expect(await settled({ permit, a: consent('x'), b: consent('y') })).toEqual({
      outcome: 'needs-approval',
      needs: [
        { group: 'x', approvers: 1 },
        { group: 'y', approvers: 1 },
      ],
      wantedBy: ['a', 'b'],
      lifetimeSeconds: 300,
      policies: ['a', 'b', 'permit'],
    });
  });
  it('names only what is still missing', async () => {
    const asked = { lifetimeSeconds: 300, approvals: ['x'] };
    expect(await settled({ permit, a: consent('x'), b: consent('y') }, asked)).toMatchObject({
      needs: [{ group: 'y' }],
    });
  });
  it('asks nobody for what no permit would grant then', async () => {
    expect(await settled({ a: consent('x') })).toEqual({ outcome: 'deny', why: 'no-permit', policies: [] });
  });
  it('asks nobody where shortening is enough', async () => {
    const long: Applies = { effect: 'forbid', approval: 'x', when: over(60) };
    expect(await settled({ permit, cap: cap(60), long })).toMatchObject({ outcome: 'permit', lifetimeSeconds: 60 });
  });
});

describe('ways out', () => {
  it('lead nowhere past a forbid that has none', async () => {
    const never: Applies = { effect: 'forbid' };
    expect(await settled({ permit, cap: cap(60), consent: consent('x'), never })).toMatchObject({ outcome: 'deny' });
  });
  it('lead nowhere past a forbid that applies only after they are taken', async () => {
    const short: Applies = { effect: 'forbid', when: (terms) => !over(60)(terms) };
    expect(await settled({ permit, cap: cap(60), short })).toMatchObject({ outcome: 'deny', policies: ['short'] });
  });
  it('end after a few asks, in a refusal', async () => {
    let asks = 0;
    const rules = new Map<string, Rule>(
      Array.from({ length: 300 }, (_, n) => [`f${n}`, { effect: 'forbid', lifetimeSeconds: n + 1 }]),
    );
    const ask: Ask = ({ lifetimeSeconds = 0 }) => {
      asks += 1;
      return [{ allowed: false, failed: false, policies: [`f${lifetimeSeconds - 2}`] }];
    };
    expect(await settle(ask, rules, { lifetimeSeconds: 300 })).toMatchObject({ outcome: 'deny' });
    expect(asks).toBeLessThan(10);
  });
  it('a failed evaluation is a refusal, also when it says allowed', async () => {
    const rules = new Map<string, Rule>([['p', permit]]);
    const ask: Ask = () => [{ allowed: true, failed: true, policies: ['p'] }];
    expect(await settle(ask, rules, {})).toEqual({ outcome: 'deny', why: 'failed', policies: ['p'] });
  });
});

describe('@lifetime on a permit', () => {
  it('bounds that permit alone: the most generous that applies wins', async () => {
    expect(await settled({ a: { ...permit, lifetimeSeconds: 60 } })).toMatchObject({ lifetimeSeconds: 60 });
    expect(
      await settled({ a: { ...permit, lifetimeSeconds: 60 }, b: { ...permit, lifetimeSeconds: 120 } }),
    ).toMatchObject({
      lifetimeSeconds: 120,
    });
    expect(await settled({ a: { ...permit, lifetimeSeconds: 60 }, permit })).toMatchObject({ lifetimeSeconds: 300 });
  });
  it('of several resources, the one with the shortest permit decides', async () => {
    const rules = new Map<string, Rule>([
      ['long', permit],
      ['short', { ...permit, lifetimeSeconds: 30 }],
    ]);
    const ask: Ask = () => ['long', 'short'].map((id) => ({ allowed: true, failed: false, policies: [id] }));
    expect(await settle(ask, rules, { lifetimeSeconds: 300 })).toMatchObject({
      outcome: 'permit',
      lifetimeSeconds: 30,
    });
  });
});

it('whatever the policies: what is granted was itself asked exactly so and permitted, and is never longer than asked', async () => {
  const seconds = fc.integer({ min: 1, max: 20 });
  const group = fc.constantFrom('x', 'y');
  const condition = fc.oneof(
    seconds.map((limit) => over(limit)),
    seconds.map((limit) => (terms: Terms) => !over(limit)(terms)),
    group.map((name) => without(name)),
    fc.constant(() => true),
  );
  const policy: fc.Arbitrary<Applies> = fc.oneof(
    fc.record({ effect: fc.constant('permit' as const), when: condition }),
    fc.record({ effect: fc.constant('permit' as const), when: condition, lifetimeSeconds: seconds }),
    fc.record({ effect: fc.constant('forbid' as const), when: condition, lifetimeSeconds: seconds }),
    fc.record({ effect: fc.constant('forbid' as const), when: condition, approval: group }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(policy, { maxLength: 5 }), seconds, async (list, lifetimeSeconds) => {
      const policies = Object.fromEntries(list.map((one, index) => [`p${index}`, one]));
      const verdict = await settled(policies, { lifetimeSeconds, approvals: [] });
      if (verdict.outcome === 'permit') {
        expect(verdict.lifetimeSeconds).toBeLessThanOrEqual(lifetimeSeconds);
        const terms = { lifetimeSeconds: verdict.lifetimeSeconds, approvals: [] };
        const final = answer(policies, terms);
        expect(final.allowed).toBe(true);
        const bounds = final.policies.map((id) => policies[id]?.lifetimeSeconds ?? Infinity);
        expect(verdict.lifetimeSeconds).toBeLessThanOrEqual(Math.max(...bounds));
      }
      if (verdict.outcome === 'needs-approval') {
        const shortest = Array.from({ length: lifetimeSeconds }, (_, n) => n + 1);
        const approvals = verdict.needs?.map(({ group }) => group);
        const granted = shortest.some((n) => answer(policies, { lifetimeSeconds: n, approvals }).allowed);
        expect(granted).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
});
