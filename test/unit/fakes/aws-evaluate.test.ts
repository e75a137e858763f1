/** The loopback AWS decides as IAM documents it, and refuses to decide what it does not understand. */
import { describe, expect, test } from '@jest/globals';
import { evaluate } from '../../../fakes/aws/evaluate.js';
import type { PolicyDocument } from '../../../fakes/aws/policy-document.js';
import { matchesWildcard } from '../../../fakes/aws/wildcard.js';

type Statement = Extract<PolicyDocument['Statement'], { Effect: string }>;
type Condition = Statement['Condition'];

const document = (...Statement: Statement[]): PolicyDocument => ({ Version: '2012-10-17', Statement });
const allow = (over: Partial<Statement> = {}) => document({ Effect: 'Allow', Action: '*', Resource: '*', ...over });
const deny = (Condition?: Condition) => document({ Effect: 'Deny', Action: '*', Resource: '*', Condition });
const request = (context: Record<string, string | undefined> = {}) => ({
  action: 's3:GetObject',
  resource: 'arn:aws:s3:::data/tenant-42/report',
  context,
});
const holds = (condition: object, context: Record<string, string | undefined>) =>
  evaluate({ identity: [allow({ Condition: condition })], request: request(context) }) === 'allow';

const DEADLINE = '2030-01-01T00:02:00Z';
const BEFORE = '2030-01-01T00:01:59Z';
const AFTER = '2030-01-01T00:02:01Z';

test.each([
  ['', '', true],
  ['*', '', true],
  ['?', '', false],
  ['?*', 'a', true],
  ['a*c', 'abcbc', true],
  ['a*c', 'abcb', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['*a*b*', 'xxaxxbxx', true],
  ['a.c', 'abc', false],
  ['(a+)+$', 'aaaa', false],
  ['A', 'a', false],
])('wildcard %j against %j: %s', (pattern, text, matches) => {
  expect(matchesWildcard(pattern, text)).toBe(matches);
});

test('a wildcard that would take a backtracking matcher for ever is decided at once', () => {
  expect(matchesWildcard(`${'*a'.repeat(40)}b`, 'a'.repeat(4_000))).toBe(false);
});

describe('operators', () => {
  const known = { 'aws:PrincipalTag/jc': 'k3' };
  test.each<[string, object, Record<string, string | undefined>, boolean]>([
    ['StringEquals, same', { StringEquals: { 'aws:PrincipalTag/jc': 'k3' } }, known, true],
    ['StringEquals, other case', { StringEquals: { 'aws:PrincipalTag/jc': 'K3' } }, known, false],
    ['StringEquals knows no wildcard', { StringEquals: { 'aws:PrincipalTag/jc': 'k*' } }, known, false],
    ['StringEquals, one of several', { StringEquals: { 'aws:PrincipalTag/jc': ['a', 'k3'] } }, known, true],
    ['StringEquals, missing', { StringEquals: { 'aws:PrincipalTag/jc': 'k3' } }, {}, false],
    ['StringEquals, key in another case', { StringEquals: { 'AWS:principaltag/JC': 'k3' } }, known, true],
    ['StringNotEquals, same', { StringNotEquals: { 'aws:PrincipalTag/jc': 'k3' } }, known, false],
    ['StringNotEquals, one of several', { StringNotEquals: { 'aws:PrincipalTag/jc': ['a', 'k3'] } }, known, false],
    ['StringNotEquals, none of several', { StringNotEquals: { 'aws:PrincipalTag/jc': ['a', 'b'] } }, known, true],
    ['StringNotEquals, missing', { StringNotEquals: { 'aws:PrincipalTag/jc': 'k3' } }, {}, true],
    ['StringLike, matching', { StringLike: { 'aws:PrincipalTag/jc': '?*' } }, known, true],
    ['StringLike, empty', { StringLike: { 'aws:PrincipalTag/jc': '?*' } }, { 'aws:PrincipalTag/jc': '' }, false],
    ['StringLike, missing', { StringLike: { 'aws:PrincipalTag/jc': '*' } }, {}, false],
    ['Null true, missing', { Null: { 'aws:PrincipalTag/jc': 'true' } }, {}, true],
    ['Null true, undefined', { Null: { 'aws:PrincipalTag/jc': 'true' } }, { 'aws:PrincipalTag/jc': undefined }, true],
    ['Null true, present', { Null: { 'aws:PrincipalTag/jc': 'true' } }, known, false],
    ['Null false, present', { Null: { 'aws:PrincipalTag/jc': 'false' } }, known, true],
    ['Null false, missing', { Null: { 'aws:PrincipalTag/jc': 'false' } }, {}, false],
    ['two keys, both', { StringEquals: { 'a:x': '1', 'a:y': '2' } }, { 'a:x': '1', 'a:y': '2' }, true],
    ['two keys, one', { StringEquals: { 'a:x': '1', 'a:y': '2' } }, { 'a:x': '1', 'a:y': '3' }, false],
    [
      'two operators, one',
      { StringEquals: { 'a:x': '1' }, Null: { 'a:y': 'true' } },
      { 'a:x': '1', 'a:y': '2' },
      false,
    ],
  ])('%s', (_, condition, context, expected) => {
    expect(holds(condition, context)).toBe(expected);
  });

  test.each([
    ['DateLessThan', true, false, false],
    ['DateLessThanEquals', true, true, false],
    ['DateGreaterThan', false, false, true],
    ['DateGreaterThanEquals', false, true, true],
  ])('%s before, at and after the instant: %s, %s, %s', (operator, ...expected) => {
    const at = (now: string) => holds({ [operator]: { 'aws:CurrentTime': DEADLINE } }, { 'aws:CurrentTime': now });
    expect([BEFORE, DEADLINE, AFTER].map(at)).toEqual(expected);
    expect(holds({ [operator]: { 'aws:CurrentTime': DEADLINE } }, {})).toBe(false);
  });
});

describe('what a statement covers', () => {
  test.each<[Partial<Statement>, boolean]>([
    [{ Action: 'S3:getobject' }, true],
    [{ Action: ['s3:Put*', 's3:Get*'] }, true],
    [{ Action: 's3:Put*' }, false],
    [{ Action: undefined, NotAction: ['s3:Put*', 'iam:*'] }, true],
    [{ Action: undefined, NotAction: 's3:*' }, false],
    [{ Resource: 'arn:aws:s3:::data/tenant-42/*' }, true],
    [{ Resource: ['arn:aws:s3:::other/*', 'arn:aws:s3:::data/*'] }, true],
    [{ Resource: 'arn:aws:s3:::data/Tenant-42/*' }, false],
    [{ Resource: 'arn:aws:s3:::data' }, false],
  ])('%j: %s', (over, expected) => {
    const identity = [JSON.parse(JSON.stringify(allow(over))) as PolicyDocument];
    expect(evaluate({ identity, request: request() })).toBe(expected ? 'allow' : 'implicit-deny');
  });
});

describe('several policies', () => {
  test('nothing said is an implicit deny', () => {
    expect(evaluate({ identity: [], request: request() })).toBe('implicit-deny');
  });

  test('a session policy takes away and adds nothing', () => {
    const narrow = allow({ Action: 's3:GetObject' });
    const other = allow({ Action: 's3:PutObject' });
    expect(evaluate({ identity: [allow()], session: narrow, request: request() })).toBe('allow');
    expect(evaluate({ identity: [allow()], session: other, request: request() })).toBe('implicit-deny');
    expect(evaluate({ identity: [other], session: narrow, request: request() })).toBe('implicit-deny');
  });

  test('an explicit deny wins wherever it stands', () => {
    expect(evaluate({ identity: [allow(), deny()], request: request() })).toBe('explicit-deny');
    expect(evaluate({ identity: [deny(), allow()], session: allow(), request: request() })).toBe('explicit-deny');
    expect(evaluate({ identity: [allow()], session: deny(), request: request() })).toBe('explicit-deny');
    expect(evaluate({ identity: [], session: deny(), request: request() })).toBe('explicit-deny');
  });
});

describe('traps', () => {
  const at = (condition: Condition, now: string) =>
    evaluate({
      identity: [allow()],
      session: document({ Effect: 'Allow', Action: '*', Resource: '*' }, ...statements(deny(condition))),
      request: request({ 'aws:CurrentTime': now }),
    });
  const statements = ({ Statement }: PolicyDocument) => [Statement].flat() as Statement[];

  test('a deadline denies from its second on, and not before', () => {
    const condition = { DateGreaterThanEquals: { 'aws:CurrentTime': DEADLINE } };
    expect([BEFORE, DEADLINE, AFTER].map((now) => at(condition, now))).toEqual([
      'allow',
      'explicit-deny',
      'explicit-deny',
    ]);
  });

  test('the deadline the wrong way round kills the fresh session and spares the old one', () => {
    const condition = { DateLessThan: { 'aws:CurrentTime': DEADLINE } };
    expect([BEFORE, DEADLINE].map((now) => at(condition, now))).toEqual(['explicit-deny', 'allow']);
  });

  test('a deny by tag spares the session without tags, unless a Null guard stands beside it', () => {
    const revoked = deny({ StringEquals: { 'aws:PrincipalTag/jc': ['k3'] } });
    const guard = deny({ Null: { 'aws:PrincipalTag/jc': 'true' } });
    expect(evaluate({ identity: [allow(), revoked], request: request() })).toBe('allow');
    expect(evaluate({ identity: [allow(), revoked, guard], request: request() })).toBe('explicit-deny');
    const tagged = request({ 'aws:PrincipalTag/jc': 'k4' });
    expect(evaluate({ identity: [allow(), revoked, guard], request: tagged })).toBe('allow');
  });

  test('a cutoff spares a session issued in its very second', () => {
    const cutoff = deny({ DateLessThan: { 'aws:TokenIssueTime': DEADLINE } });
    const issued = (when: string) =>
      evaluate({ identity: [allow(), cutoff], request: request({ 'aws:TokenIssueTime': when }) });
    expect([BEFORE, DEADLINE].map(issued)).toEqual(['explicit-deny', 'allow']);
  });
});

describe('what is not understood throws, even in a statement about something else', () => {
  const elsewhere = { Effect: 'Deny', Action: 'ec2:RunInstances', Resource: '*' };
  test.each<[string, object]>([
    ['an unknown operator', { ...elsewhere, Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
    ['IfExists', { ...elsewhere, Condition: { StringEqualsIfExists: { 'a:x': '1' } } }],
    ['a set operator', { ...elsewhere, Condition: { 'ForAnyValue:StringEquals': { 'a:x': '1' } } }],
    ['an unknown element', { ...elsewhere, Conditions: {} }],
    ['an unknown effect', { ...elsewhere, Effect: 'deny' }],
    ['NotResource', { Effect: 'Deny', Action: '*', NotResource: '*' }],
    ['a principal', { ...elsewhere, Principal: '*' }],
    ['both Action and NotAction', { ...elsewhere, NotAction: 's3:*' }],
    ['no action', { Effect: 'Deny', Resource: '*' }],
    ['no resource', { Effect: 'Deny', Action: '*' }],
    ['an empty list of actions', { ...elsewhere, Action: [] }],
    ['an empty list of values', { ...elsewhere, Condition: { StringEquals: { 'a:x': [] } } }],
    ['a policy variable in a resource', { ...elsewhere, Resource: 'arn:aws:s3:::b/${aws:userid}' }],
    ['a policy variable in a value', { ...elsewhere, Condition: { StringLike: { 'a:x': '${aws:userid}' } } }],
    ['a wildcard in the middle of an ARN', { ...elsewhere, Resource: 'arn:aws:iam::*:role/x' }],
    ['an action without a service', { ...elsewhere, Action: 'GetObject' }],
    ['a date that does not exist', { ...elsewhere, Condition: { DateLessThan: { 'a:x': '2030-02-31T00:00:00Z' } } }],
    ['a date with a fraction', { ...elsewhere, Condition: { DateLessThan: { 'a:x': '2030-02-01T00:00:00.5Z' } } }],
    ['Null of something else', { ...elsewhere, Condition: { Null: { 'a:x': 'yes' } } }],
    [
      'a condition that parsers lose',
      JSON.parse('{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"__proto__":"true"}}}') as object,
    ],
  ])('%s', (_, statement) => {
    const policy = document(statement as Statement);
    expect(() => evaluate({ identity: [allow(), policy], request: request() })).toThrow();
    expect(() => evaluate({ identity: [allow()], session: policy, request: request() })).toThrow();
  });

  test.each<[string, object]>([
    ['another version', { ...allow(), Version: '2008-10-17' }],
    ['no version', { Statement: allow().Statement }],
    ['no statement', document()],
    ['two statements of one Sid', document(...['a', 'a'].map((Sid) => ({ ...elsewhere, Sid }) as Statement))],
    ['a date in the request that is none', deny({ DateLessThan: { 'aws:CurrentTime': DEADLINE } })],
  ])('%s', (_, policy) => {
    const asked = request({ 'aws:CurrentTime': 'soon' });
    expect(() => evaluate({ identity: [policy as PolicyDocument], request: asked })).toThrow();
  });
});
