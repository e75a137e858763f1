/** Why something is refused, as far as the caller may know: never more than the policies that it may know of. */
import { describe, expect, it } from '@jest/globals';
import { denied } from '../../../src/authorization/decide.js';
import { easingOf } from '../../../src/authorization/easing.js';
import type { Verdict } from '../../../src/policy/policy-engine.js';
import type { PolicyQuery } from '../../../src/policy/query.js';
import { engineOf, taskOf, toAccess, toOperate } from '../../support/policy.js';

const READS = '@id("reads") permit (principal, action == Action::"read", resource);';
const decide = async (text: string, query: PolicyQuery = toAccess('x')): Promise<Verdict> =>
  (await engineOf(text)).decide(query);
const becauseOf = async (text: string, query?: PolicyQuery) => (await decide(text, query)).because;

describe('a refusal says', () => {
  it('which policies forbid', async () => {
    const forbids = ['b', 'a'].map((id) => `@id("${id}") forbid (principal, action, resource);`);
    expect(await becauseOf(READS + forbids.join('\n'))).toEqual({ why: 'forbidden', policies: ['a', 'b'] });
  });

  it('that no permit applies', async () => {
    expect(await becauseOf(READS, toAccess('x', 'write'))).toEqual({ why: 'no-permit', policies: [] });
    expect(await becauseOf(READS, toAccess('x', 'raed'))).toEqual({ why: 'no-permit', policies: [] });
  });

  it('which policy cannot be evaluated', async () => {
    const overflow = `@id("sum") forbid (principal, action == Action::"read", resource)
      when { context.lifetimeSeconds + 9223372036854775807 < 0 };`;
    expect(await becauseOf(READS + overflow)).toEqual({ why: 'failed', policies: ['sum'] });
  });

  it.each([
    ['when { context.purpose == "triage" }', true],
    ['when { ["triage", "repair"].contains(context.purpose) && context.risk == "LOW" }', true],
    ['when { context.risk == "LOW" && context.purpose like "triage *" }', true],
    ['unless { context.purpose != "triage" || context.risk == "HIGH" }', true],
    ['when { context.purpose == "triage" } unless { resource.pattern }', true],
    ['when { context.purpose == "triage" && context.risk == "HIGH" }', false],
    ['when { context.purpose == "triage" } unless { context.risk == "LOW" }', false],
    ['when { context.risk == "HIGH" }', false],
  ])('whether the purpose alone is in the way: %s', async (conditions, alone) => {
    const permit = `@id("triage") permit (principal, action == Action::"read", resource) ${conditions};`;
    expect(await becauseOf(permit)).toEqual(
      alone ? { why: 'other-purpose', policies: ['triage'] } : { why: 'no-permit', policies: [] },
    );
    expect(await becauseOf(permit, toAccess('x', 'write'))).toEqual({ why: 'no-permit', policies: [] });
  });

  it('the same of the purpose of a task', async () => {
    const permit = `@id("opens") permit (principal, action == Action::"openTask", resource) when { resource.purpose == "triage" };`;
    const query = toOperate('openTask', taskOf(toAccess('x').principal), undefined, {
      opening: { lifetimeSeconds: 60, principalProven: false, delegationDepth: 0, chain: [] },
    });
    expect(await becauseOf(permit, query)).toEqual({ why: 'other-purpose', policies: ['opens'] });
  });
});

describe('a policy with @reveal("no")', () => {
  const SECRET = '@id("tripwire") @reveal("no") forbid (principal, action, resource);';
  const publicPart = ({ because, outcome }: Verdict) => ({ because, outcome });

  it('refuses in the words of a refusal for which no permit applies', async () => {
    const hidden = await decide(READS + SECRET);
    expect(publicPart(hidden)).toEqual(publicPart(await decide(READS.replace('read"', 'write"'))));
    // Operators find it in the audit log.
    expect(hidden).toMatchObject({ policies: ['tripwire'], secret: true });
  });

  it('is left out beside others', async () => {
    const other = '@id("closed") forbid (principal, action, resource);';
    expect(await becauseOf(READS + SECRET + other)).toEqual({ why: 'forbidden', policies: ['closed'] });
  });

  it('is not hinted at, where another purpose would do', async () => {
    const permit = `@id("p") @reveal("no") permit (principal, action == Action::"read", resource) when { context.purpose == "x" };`;
    expect(await becauseOf(permit)).toEqual({ why: 'no-permit', policies: [] });
  });

  it('is as secret when it cannot be evaluated', async () => {
    const overflow = SECRET.replace(
      'resource)',
      'resource) when { principal.unread.contains("ref") || 1 < 0 + 9223372036854775807 + 1 }',
    );
    expect(await becauseOf(READS + overflow)).toEqual({ why: 'no-permit', policies: [] });
    // The broker itself knows that it is no refusal.
    expect(await decide(READS + overflow)).toMatchObject({ failed: true });
  });
});

it('names three policies at most', () => {
  const decision = { id: 'dec_1', outcome: 'deny', digest: '', lifetimeSeconds: 0, query: toAccess('x') } as const;
  const policies = ['a', 'b', 'c', 'd', 'e'];
  const { message } = denied({ ...decision, policies, because: { why: 'forbidden', policies } });
  expect(message).toBe('Policy forbids "read" on x, by "a", "b", "c" and 2 more.');
});

describe('when a risk will have fallen far enough', () => {
  const HIGH = { level: 'HIGH', at: 0, stepSeconds: 600, signal: 'sig_1', why: 'seen' } as const;
  const easing = async (text: string, covers = true) => {
    const engine = await engineOf(text);
    const query = toAccess('x', 'read', { context: { risk: 'HIGH' } });
    const asked: PolicyQuery[] = [];
    const decide = (one: PolicyQuery) => {
      asked.push(one);
      return engine.decide(one);
    };
    const refused = {
      query,
      verdict: await engine.decide(query),
      risk: { level: HIGH.level, risks: [HIGH] },
      now: 1_000,
    };
    return { eases: await easingOf({ decide }, { ...refused, covers: () => covers }), asked: asked.length };
  };
  const AT_LOW = '@id("p") permit (principal, action == Action::"read", resource) when { context.risk == "LOW" };';

  it('is when the level is reached at which policy permits it', async () => {
    expect(await easing(AT_LOW)).toEqual({ eases: { to: 'LOW', at: 1_200_000, waitSeconds: 1_199 }, asked: 2 });
  });

  it('is not told where only a secret policy would permit it', async () => {
    expect(await easing(AT_LOW.replace('@id', '@reveal("no") @id'))).toEqual({ eases: undefined, asked: 2 });
  });

  it('is not looked for where the request has not paid for that, or a secret policy refuses', async () => {
    expect(await easing(AT_LOW, false)).toEqual({ eases: undefined, asked: 0 });
    const secret =
      '@id("f") @reveal("no") forbid (principal, action == Action::"read", resource) when { context.risk == "HIGH" };';
    expect(await easing(READS + secret)).toEqual({ eases: undefined, asked: 0 });
  });
});
