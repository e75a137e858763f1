/** The deny policy, compared with the sessions that it must deny, by an evaluator of IAM policies that shares no code with it. */
import fc from 'fast-check';
import { describe, expect, it, test } from '@jest/globals';
import { newId } from '../../../src/domain/id.js';
import { denyPolicy, DENY_POLICY_CHARACTERS, denyPolicyFill } from '../../../src/minters/aws/deny-policy.js';
import { tagsOf, workloadTag } from '../../../src/minters/aws/tags.js';
import type { Denials } from '../../../src/minters/minter.js';
import { evaluate } from '../../../fakes/aws/evaluate.js';
import { toInstant } from '../../../fakes/aws/grammar.js';
import type { PolicyDocument } from '../../../fakes/aws/policy-document.js';

const none: Denials = { credentials: [], tasks: [], workloads: [] };
const everything: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
};
const cutoff = Date.UTC(2030, 0, 1, 0, 0, 5);

const workload = (id: string) => ({ workload: { kind: 'workload' as const, id, issuer: 'lab' } });
const session = fc
  .record({
    credential: fc.constantFrom(...Array.from({ length: 4 }, () => newId('crd'))),
    task: fc.constantFrom(...Array.from({ length: 3 }, () => newId('tsk'))),
    of: fc.constantFrom('lab:a', 'lab:b', 'spiffe://prod.example/a'),
    seq: fc.constantFrom(undefined, 0, 7, 71),
    issuedAt: fc.integer({ min: -10, max: 10 }).map((seconds) => cutoff + seconds * 1_000),
  })
  .map(({ credential, task, of, seq, issuedAt }) => ({ credential, task, of, seq: seq ?? 0, issuedAt }));
type Session = typeof session extends fc.Arbitrary<infer T> ? T : never;

const workloadOf = ({ of, seq }: Session): string => `${workloadTag(workload(of))}@${seq}`;

/** The tags come from the code that tags sessions: a tag written in two ways would be a revocation that hits nothing. */
function isDenied(policy: string, one: Session): boolean {
  const { jc, jt, jw } = tagsOf({ id: one.credential, workloadSeq: one.seq }, { id: one.task, ...workload(one.of) });
  const context = {
    'aws:PrincipalTag/jc': jc,
    'aws:PrincipalTag/jt': jt,
    'aws:PrincipalTag/jw': jw,
    'aws:TokenIssueTime': toInstant(one.issuedAt),
  };
  const identity = [everything, JSON.parse(policy) as PolicyDocument];
  return evaluate({ identity, request: { action: 's3:GetObject', resource: 'arn:aws:s3:::x/a', context } }) !== 'allow';
}

describe('the deny policy', () => {
  test('hits exactly the sessions of the credentials, tasks and workloads that are listed, and all issued before', () =>
    fc.assert(
      fc.property(fc.array(session, { maxLength: 6 }), session, fc.integer({ min: 0, max: 15 }), (dead, one, which) => {
        const denials: Denials = {
          credentials: which & 1 ? dead.map(({ credential }) => credential) : [],
          tasks: which & 2 ? dead.map(({ task }) => task) : [],
          workloads: which & 4 ? dead.map(workloadOf) : [],
          ...(which & 8 && { issuedBefore: cutoff }),
        };
        const isListed =
          denials.credentials.includes(one.credential) ||
          denials.tasks.includes(one.task) ||
          denials.workloads.includes(workloadOf(one)) ||
          ((which & 8) !== 0 && one.issuedAt < cutoff);
        const policy = denyPolicy(denials, 3);
        expect(policy !== undefined && isDenied(policy, one)).toBe(isListed);
      }),
      { numRuns: 2_000 },
    ));

  it('says who wrote it in its first statement, and leaves out what is empty', () => {
    const Effect = 'Deny';
    const all = { Effect, Action: '*', Resource: '*' };
    const denials = {
      credentials: ['crd_aaeeeeeeeeeeeeee'],
      tasks: ['tsk_aabbbbbbbbbbbbbb'],
      workloads: ['kvYc@7'],
      issuedBefore: cutoff,
    };
    expect(JSON.parse(denyPolicy(denials, 1842)!)).toEqual({
      Version: '2012-10-17',
      Statement: [
        { Sid: 'r1842', ...all, Condition: { StringEquals: { 'aws:PrincipalTag/jc': ['aaeeeeeeeeeeeeee'] } } },
        { ...all, Condition: { StringEquals: { 'aws:PrincipalTag/jt': ['aabbbbbbbbbbbbbb'] } } },
        { ...all, Condition: { StringEquals: { 'aws:PrincipalTag/jw': ['kvYc@7'] } } },
        { ...all, Condition: { DateLessThan: { 'aws:TokenIssueTime': '2030-01-01T00:00:05Z' } } },
      ],
    });
    expect(JSON.parse(denyPolicy({ ...none, issuedBefore: cutoff }, 2)!)).toMatchObject({
      Statement: [{ Sid: 'r2', Condition: { DateLessThan: {} } }],
    });
  });

  it('is not there when nothing is dead', () => {
    expect([denyPolicy(none, 1), denyPolicyFill(none)]).toEqual([undefined, 0]);
  });

  test('is never longer than its fill says, whoever writes it', () =>
    fc.assert(
      fc.property(fc.nat({ max: 700 }), fc.maxSafeNat(), (count, fence) => {
        const denials = { ...none, credentials: Array.from({ length: count }, () => 'crd_aaeeeeeeeeeeeeee') };
        const { length } = denyPolicy(denials, fence) ?? '';
        expect(length).toBeLessThanOrEqual(Math.round(denyPolicyFill(denials) * DENY_POLICY_CHARACTERS));
      }),
    ));

  it('has room for some five hundred credentials', () => {
    const fillOf = (count: number) =>
      denyPolicyFill({ ...none, credentials: Array.from({ length: count }, () => 'crd_aaeeeeeeeeeeeeee') });
    expect([fillOf(493) <= 1, fillOf(494) <= 1]).toEqual([true, false]);
  });
});
