/** What answers come to: persons stand for groups as well as they can, nobody for two places, and never a team alone. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { covers, pairsOf, type Access } from '../../../src/domain/access.js';
import { isNarrower, termsOf, type Approval, type ApprovalAnswer } from '../../../src/domain/approval.js';
import { addsTo, isComplete, isOwnRequest, isSamePerson, missingOf } from '../../../src/domain/approval-answers.js';

const approval = (more: Partial<Approval> = {}): Approval => ({
  id: 'apr_aabbbbbbbbbbbbbb',
  task: 'tsk_aabbbbbbbbbbbbbb',
  workload: { kind: 'workload', id: 'lab:agent', issuer: 'lab' },
  purpose: 'x',
  purposeFrom: 'agent',
  asked: {
    target: 'https://t.example',
    access: [{ path: 'a/b', actions: ['write'] }],
    lifetimeSeconds: 300,
    askedAsScope: true,
  },
  digest: 'x',
  needs: [{ group: 'a', approvers: 1 }],
  policies: [],
  policyDigest: 'x',
  askedAt: 0,
  lapsesAt: 1_000,
  answers: [],
  deferralCodes: [],
  revision: 0,
  ...more,
});
const yes = (sub: string, groups: string[], more: Partial<ApprovalAnswer> = {}): ApprovalAnswer => ({
  by: { kind: 'person', id: `staff:${sub}`, issuer: 'staff' },
  at: 1,
  says: 'approve',
  groups,
  issuedAt: 0,
  ...more,
});

const GROUPS = ['a', 'b', 'c'];
const needs = fc
  .array(fc.constantFrom(1, 2), { minLength: 1, maxLength: 3 })
  .map((numbers) => numbers.map((approvers, index) => ({ group: GROUPS[index] ?? 'a', approvers })));
const answers = fc
  .array(fc.tuple(fc.subarray(GROUPS, { minLength: 1 }), fc.boolean()), { maxLength: 6 })
  .map((all) => all.map(([groups, ofOwner], index) => yes(`p${index}`, groups, ofOwner ? { ofOwner } : {})));

/** Returns how many places can be filled at most, by trying every way. */
function mostFilled(places: string[], persons: ApprovalAnswer[]): number {
  const [first, ...rest] = persons;
  if (!first) return 0;
  const without = mostFilled(places, rest);
  const withIt = first.groups
    .filter((group) => places.includes(group))
    .map((group) => 1 + mostFilled(places.toSpliced(places.indexOf(group), 1), rest));
  return Math.max(without, ...withIt);
}

describe('persons and groups', () => {
  it('as many places are filled as can be, whoever answered first, and each person fills one', () => {
    fc.assert(
      fc.property(needs, answers, (needs, answers) => {
        const places = needs.flatMap(({ group, approvers }) => Array.from({ length: approvers }, () => group));
        const missing = missingOf({ needs, answers }).reduce((sum, { approvers }) => sum + approvers, 0);
        expect(places.length - missing).toBe(mostFilled(places, answers));
      }),
    );
  });

  it('are complete when nothing is missing and somebody is of no team whose agent asks', () => {
    fc.assert(
      fc.property(needs, answers, (needs, answers) => {
        const isFilled = missingOf({ needs, answers }).length === 0;
        const hasOther = answers.some(({ ofOwner }) => !ofOwner);
        expect(isComplete({ needs, answers })).toBe(isFilled && hasOther);
        const refused = [...answers, yes('no', [], { says: 'deny' })];
        expect(missingOf({ needs, answers: refused })).toEqual(missingOf({ needs, answers }));
      }),
    );
  });

  it('only a yes that adds something is kept, so those that are kept are never more than the places and one', () => {
    fc.assert(
      fc.property(needs, answers, (needs, offered) => {
        let kept = approval({ needs });
        for (const answer of offered) {
          if (isComplete(kept)) break;
          if (addsTo(kept, answer)) kept = { ...kept, answers: [...kept.answers, answer] };
        }
        const places = needs.reduce((sum, { approvers }) => sum + approvers, 0);
        expect(kept.answers.length).toBeLessThanOrEqual(places + 1);
        expect(isComplete(kept)).toBe(isComplete({ needs, answers: offered }));
      }),
    );
  });

  it('an emergency needs nobody else', () => {
    expect(isComplete(approval({ answers: [yes('x', [], { says: 'emergency' })] }))).toBe(true);
  });
});

describe('one person', () => {
  const bob = (id: string, email?: string | string[]) => ({
    kind: 'person' as const,
    id,
    issuer: 'staff',
    ...(email !== undefined && { claims: { email } }),
  });
  const unreadable = (id: string) => ({ ...bob(id), unread: ['email'] });

  it('is known by id or by address, in whatever letters, and by one of several', () => {
    expect(isSamePerson(bob('staff:1'), bob('staff:1'))).toBe(true);
    expect(isSamePerson(bob('staff:1', 'Bob@x.example'), bob('page:2', 'bob@X.example'))).toBe(true);
    expect(isSamePerson(bob('staff:1', ['b@x.example', 'Bob@x.example']), bob('page:2', 'bob@x.example'))).toBe(true);
    expect(isSamePerson(bob('staff:1', 'bob@x.example'), bob('staff:2', 'eve@x.example'))).toBe(false);
    expect(isSamePerson(bob('staff:1'), bob('staff:2'))).toBe(false);
  });

  it('whose address could not be read may be anybody who has one', () => {
    expect(isSamePerson(unreadable('staff:1'), bob('page:2', 'bob@x.example'))).toBe(true);
    expect(isSamePerson(bob('page:2', 'bob@x.example'), unreadable('staff:1'))).toBe(true);
    expect(isSamePerson(unreadable('staff:1'), unreadable('staff:2'))).toBe(true);
    expect(isSamePerson(unreadable('staff:1'), bob('page:2'))).toBe(false);
  });

  it('asks for themselves also where the record of the task is gone', () => {
    const asked = approval({
      principal: bob('staff:1', 'bob@x.example'),
      openedBy: bob('staff:3'),
      above: ['tsk_aabbbbbbbbbbbbbb', 'lab:planner', 'staff:5'],
      openerAddresses: ['olga@x.example'],
    });
    for (const who of [
      bob('staff:1'),
      bob('page:9', 'bob@x.example'),
      bob('staff:3'),
      bob('staff:5'),
      bob('page:6', 'Olga@x.example'),
      unreadable('page:7'),
    ])
      expect(isOwnRequest(who, asked, undefined)).toBe(true);
    expect(isOwnRequest(bob('staff:4', 'eve@x.example'), asked, undefined)).toBe(false);
    expect(isOwnRequest(bob('staff:4'), asked, undefined)).toBe(false);
  });

  it('asks for themselves also by the address that the task has learnt since', () => {
    const asked = approval({ principal: bob('staff:1') });
    const other = bob('page:9', 'bob@x.example');
    expect(isOwnRequest(other, asked, { principal: bob('staff:1') })).toBe(false);
    expect(isOwnRequest(other, asked, { principal: bob('staff:1', 'bob@x.example') })).toBe(true);
  });
});

describe('less than what stands', () => {
  const segment = fc.constantFrom('a', 'b', '*');
  const path = fc
    .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([segments, deep]) => [...segments, ...(deep ? ['**'] : [])].join('/'));
  const access = fc.array(
    fc.record({ path, actions: fc.subarray(['read', 'write'], { minLength: 1 }).map((actions) => [...actions]) }),
    { minLength: 1, maxLength: 3 },
  );
  const isCovered = (most: readonly Access[], asked: readonly Access[]) =>
    pairsOf(asked).every((pair) =>
      pairsOf(most).some((one) => one.action === pair.action && covers(one.path, pair.path)),
    );

  it('is every pair covered, and a lifetime that is no longer; through any number of answers', () => {
    fc.assert(
      fc.property(access, fc.array(fc.tuple(access, fc.integer({ min: 1, max: 400 }))), (asked, offered) => {
        let stands = approval({ asked: { ...approval().asked, access: asked } });
        for (const [less, lifetimeSeconds] of offered) {
          const before = termsOf(stands);
          const narrower = isNarrower(stands, { access: less, lifetimeSeconds });
          expect(narrower).toBe(isCovered(before.access, less) && lifetimeSeconds <= before.lifetimeSeconds);
          if (narrower)
            stands = { ...stands, answers: [...stands.answers, yes('x', ['a'], { access: less, lifetimeSeconds })] };
        }
        expect(isCovered(asked, termsOf(stands).access)).toBe(true);
        expect(termsOf(stands).lifetimeSeconds).toBeLessThanOrEqual(300);
      }),
    );
  });

  it('is not nothing', () => {
    expect(isNarrower(approval(), { access: [] })).toBe(false);
    expect(isNarrower(approval(), {})).toBe(true);
  });
});
