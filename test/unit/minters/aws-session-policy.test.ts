/** The session policy, compared with the requested access, by an evaluator of IAM policies that shares no code with it. */
import fc from 'fast-check';
import { describe, expect, it, test } from '@jest/globals';
import { covers, type Access } from '../../../src/domain/access.js';
import { WHOLE_ROLE } from '../../../src/targets/aws.js';
import { SESSION_POLICY_CHARACTERS, sessionPolicy } from '../../../src/minters/aws/session-policy.js';
import { evaluate } from '../../../fakes/aws/evaluate.js';
import { toInstant } from '../../../fakes/aws/grammar.js';
import type { PolicyDocument } from '../../../fakes/aws/policy-document.js';

const deadline = Date.UTC(2030, 0, 1, 0, 2, 0);
const everything: PolicyDocument = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
};

const word = fc.constantFrom('a', 'b', 'ab', 'a-b');
const key = fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('/'));
const resource = fc.tuple(fc.constantFrom('x', 'y'), key).map(([bucket, rest]) => `arn:aws:s3:::${bucket}/${rest}`);
const path = fc.oneof(
  { weight: 4, arbitrary: resource },
  { weight: 4, arbitrary: resource.map((arn) => `${arn}/**`) },
  { weight: 1, arbitrary: fc.constantFrom('**', 'arn:aws:s3:::x/**', 'arn:aws:s3:::x') },
);
const action = fc.constantFrom('s3:GetObject', 's3:PutObject', 's3:ListBucket', 'ec2:StopInstances');
const access: fc.Arbitrary<Access[]> = fc.array(
  fc.record({ path, actions: fc.uniqueArray(action, { minLength: 1, maxLength: 3 }) }),
  { minLength: 1, maxLength: 6 },
);

const isAllowed = (policy: string, asked: { action: string; resource: string }, at: number): boolean =>
  evaluate({
    identity: [everything],
    session: JSON.parse(policy) as PolicyDocument,
    request: { ...asked, context: { 'aws:CurrentTime': toInstant(at) } },
  }) === 'allow';

describe('a session policy', () => {
  test('allows before the deadline exactly what was asked for, and from it on nothing', () =>
    fc.assert(
      fc.property(access, action, resource, fc.integer({ min: -900, max: 900 }), (asked, act, arn, seconds) => {
        const isAsked = asked.some(({ path, actions }) => actions.includes(act) && covers(path, arn));
        const at = deadline + seconds * 1_000;
        const policy = sessionPolicy(asked, deadline + 999);
        expect(isAllowed(policy, { action: act, resource: arn }, at)).toBe(isAsked && seconds < 0);
      }),
      { numRuns: 2_000 },
    ));

  test('reads the same in whatever order it was asked for', () =>
    fc.assert(
      fc.property(
        access.chain((asked) => fc.tuple(fc.constant(asked), fc.shuffledSubarray(asked, { minLength: asked.length }))),
        ([asked, shuffled]) => {
          const backwards = shuffled.map(({ path, actions }) => ({ path, actions: actions.toReversed() }));
          expect(sessionPolicy(backwards, deadline)).toBe(sessionPolicy(asked, deadline));
        },
      ),
    ));

  test('is over to the second: alive in the last one before the deadline, dead in the deadline', () => {
    const asked = [{ path: 'arn:aws:s3:::x/a', actions: ['s3:GetObject'] }];
    const policy = sessionPolicy(asked, deadline);
    const ask = { action: 's3:GetObject', resource: 'arn:aws:s3:::x/a' };
    expect([deadline - 1_000, deadline, deadline + 779_000].map((at) => isAllowed(policy, ask, at))).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('is small: what may be done alike stands together', () => {
    const paths = Array.from({ length: 20 }, (_, index) => `arn:aws:s3:::customer-data/tenant-${index}/**`);
    const policy = sessionPolicy(
      paths.map((one) => ({ path: one, actions: ['s3:PutObject', 's3:GetObject'] })),
      deadline,
    );
    expect(policy.length).toBeLessThan(0.6 * SESSION_POLICY_CHARACTERS);
    expect(JSON.parse(policy)).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: ['s3:GetObject', 's3:PutObject'],
          Resource: paths.map((one) => one.replace('/**', '/*')).sort(),
        },
        {
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: { DateGreaterThanEquals: { 'aws:CurrentTime': '2030-01-01T00:02:00Z' } },
        },
      ],
    });
  });

  it('of a whole role takes nothing away but the time after the deadline', () => {
    const policy = sessionPolicy([{ path: 'arn:aws:iam::111122223333:role/agent', actions: [WHOLE_ROLE] }], deadline);
    const ask = { action: 'ec2:StopInstances', resource: 'arn:aws:ec2:eu-central-1:111122223333:instance/i-1' };
    expect([isAllowed(policy, ask, deadline - 1_000), isAllowed(policy, ask, deadline)]).toEqual([true, false]);
  });

  it.each([
    ['a whole role beside other access', [{ path: '**', actions: [WHOLE_ROLE, 's3:GetObject'] }]],
    ['one segment, which AWS has no word for', [{ path: 'arn:aws:s3:::x/*', actions: ['s3:GetObject'] }]],
    ['one segment in the middle', [{ path: 'arn:aws:s3:::x/*/y', actions: ['s3:GetObject'] }]],
    ['one segment before all below', [{ path: 'arn:aws:s3:::x/*/**', actions: ['s3:GetObject'] }]],
    ['a lone star, which is one segment here and everything there', [{ path: '*', actions: ['s3:GetObject'] }]],
    ['a policy variable', [{ path: 'arn:aws:s3:::x/${aws:username}', actions: ['s3:GetObject'] }]],
    ['a question mark', [{ path: 'arn:aws:s3:::x/?', actions: ['s3:GetObject'] }]],
  ])('is not made for %s', (_, asked) => {
    expect(() => sessionPolicy(asked, deadline)).toThrow();
  });
});
