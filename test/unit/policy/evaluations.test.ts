/** How often Cedar is asked: counted before it is asked, never more than one request may need, and in turns with everything else. */
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createCedarEngine } from '../../../src/policy/cedar/cedar.js';
import type { PolicyTarget } from '../../../src/policy/cedar/fit.js';
import type { Verdict } from '../../../src/policy/policy-engine.js';
import {
  configuredWith,
  TICKETS,
  ticketsTarget,
  toAccess,
  toOperate,
  workload,
  writePolicies,
} from '../../support/policy.js';

/** Permits everything, and a forbid that applies to nobody tells every label from every other. */
const ALL = `@id("all") permit (principal, action, resource);
@id("labels") forbid (principal in Group::"nobody", action in Action::"access", resource)
  when { resource.pattern || resource.sensitivity.contains("s") };`;

/** An engine that counts how often Cedar is asked. */
async function countingEngine(text: string, targets: readonly PolicyTarget[]) {
  const count = { done: 0 };
  const directory = writePolicies({ 'a.cedar': text });
  const onEvaluation = () => (count.done += 1);
  const engine = await createCedarEngine({
    directory,
    configured: configuredWith(targets),
    maxCachedVerdicts: 1_000,
    onEvaluation,
  });
  return { engine, count, directory };
}

/** Seven labels, each on one of seven segments: a pattern of asterisks has a part for each combination of them. */
const segments = (at: (index: number) => string) => Array.from({ length: 7 }, (_, index) => at(index)).join('/');
const sevenLabels = ticketsTarget({
  labels: Array.from({ length: 7 }, (_, label) => ({
    match: segments((index) => (index === label ? 'a' : '*')),
    sensitivity: [label === 0 ? 's' : `s${label}`],
  })),
});
/** Six free segments: itself and 64 parts. */
const wide = (first = 'b') => segments((index) => (index === 0 ? first : '*'));

const revocation = { kind: 'workload', value: 'lab:agent-7', effect: 'hold', dryRun: false };

const segment = fc.constantFrom('a', 'b', '*');
const pattern = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([all, open]) => [...all, ...(open ? ['**'] : [])].join('/'));
const action = fc.constantFrom('read', 'write', 'export');
const asked = fc.array(fc.tuple(pattern, action), { minLength: 1, maxLength: 8 });
const labels = [
  { match: 'a/**', sensitivity: ['s'] },
  { match: '*/b/*', sensitivity: ['t', 's'] },
  { match: 'b/*', sensitivity: ['t'] },
];
const named = ['a', 'a/b', 'b/b/c'];

/** Each time with another lifetime, so that no verdict is remembered from before. */
let lifetimeSeconds = 1_000;
const queriesOf = (all: [string, string][]) => {
  lifetimeSeconds += 1;
  return all.map(([path, verb]) => toAccess(path, verb, { context: { lifetimeSeconds } }));
};

/** A forbid that names the path, and applies to nobody here. */
const naming = (path: string, n: number) =>
  `@id("n${n}") forbid (principal, action, resource in Resource::"${TICKETS}#${path}") when { principal in Group::"nobody" };`;

const shortening = (seconds: number) =>
  `@id("l${seconds}") @lifetime("${seconds}") forbid (principal, action in Action::"access", resource) when { context.lifetimeSeconds > ${seconds} };`;

const askingFirst = (group: string) =>
  `@id("a${group}") @approval("${group}") forbid (principal, action in Action::"access", resource) when { resource.sensitivity.contains("s") } unless { context.approvals.contains("${group}") };`;

describe('the number of evaluations', () => {
  it('is the number that Cedar does, where policies know no way out and permit everything', async () => {
    const { engine, count } = await countingEngine([ALL, ...named.map(naming)].join('\n'), [ticketsTarget({ labels })]);
    await fc.assert(
      fc.asyncProperty(asked, async (all) => {
        const queries = queriesOf(all);
        count.done = 0;
        const counted = engine.evaluationsOf(queries);
        expect(count.done).toBe(0);
        for (const query of queries) expect((await engine.decide(query)).outcome).toBe('permit');
        expect(count.done).toBe(counted);
      }),
      { numRuns: 100 },
    );
  });

  it('is never exceeded, whatever the ways out, and is reached', async () => {
    const ways = [shortening(60), shortening(400), askingFirst('x')];
    const { engine, count } = await countingEngine([ALL, ...named.map(naming), ...ways].join('\n'), [
      ticketsTarget({ labels }),
    ]);
    let reached = 0;
    await fc.assert(
      fc.asyncProperty(asked, async (all) => {
        const queries = queriesOf(all);
        count.done = 0;
        const counted = engine.evaluationsOf(queries) ?? Infinity;
        for (const query of queries) await engine.decide(query);
        expect(count.done).toBeLessThanOrEqual(counted);
        if (count.done > counted / 2) reached += 1;
      }),
      { numRuns: 100 },
    );
    expect(reached).toBeGreaterThan(0);
  });

  it('counts equal questions once: 32 patterns that nothing tells apart cost as much as one', async () => {
    const target = ticketsTarget({ labels: [{ match: 'incident/*/attachment/**', sensitivity: ['s'] }] });
    const { engine, count } = await countingEngine(ALL, [target]);
    const queries = Array.from({ length: 32 }, (_, n) => toAccess(`incident/*/attachment/x${n}/**`));
    expect(engine.evaluationsOf(queries)).toBe(engine.evaluationsOf(queries.slice(0, 1)));
    for (const query of queries) await engine.decide(query);
    expect(count.done).toBe(engine.evaluationsOf(queries.slice(0, 1)));
  });

  it.each([
    ['that no policy names: they are one question', 'context.given.resource.hasTag("status")', 1],
    ['where a policy computes the names', 'context.given.resource.hasTag(context.purposeFrom)', 3],
    ['that is named', 'context.given.resource.hasTag("ip1")', 2],
  ])('counts what an API says under names %s', async (_, condition, expected) => {
    const { engine } = await countingEngine(
      `${ALL} @id("g") permit (principal, action == Action::"read", resource) when { context has given && ${condition} };`,
      [ticketsTarget()],
    );
    const nothing = { claims: {}, unread: [] };
    const saying = (name: string) => {
      const given = {
        subject: nothing,
        action: nothing,
        context: nothing,
        resource: { ...nothing, claims: { [name]: 'x' } },
      };
      return toAccess('incident/4711', 'read', { context: { given } });
    };
    expect(engine.evaluationsOf(['ip1', 'ip2', 'ip3'].map(saying))).toBe(expected);
  });

  it('is undefined above what one request may need, and then nothing is evaluated', async () => {
    const { engine, count } = await countingEngine(ALL, [sevenLabels]);
    expect(engine.evaluationsOf([toAccess(wide())])).toBe(65);
    expect(engine.evaluationsOf([toAccess(wide()), toAccess(wide(), 'write')])).toBeUndefined();
    expect(engine.evaluationsOf([toAccess(wide('*'))])).toBeUndefined();
    const short = await countingEngine([ALL, ...[1, 2, 3].map(shortening)].join('\n'), [sevenLabels]);
    expect(short.engine.evaluationsOf([toAccess(wide())])).toBeUndefined();
    expect(await short.engine.decide(toAccess(wide()))).toMatchObject({ outcome: 'deny', policies: [] });
    expect([count.done, short.count.done]).toEqual([0, 0]);
  });

  it('of a verb is a few, whatever is asked about', async () => {
    const { engine } = await countingEngine(ALL, [sevenLabels]);
    expect(engine.evaluationsOf([toOperate('revoke', { type: 'broker' }, undefined, { revocation })])).toBe(1);
  });
});

const THREE: [string, string][] = ['read', 'write', 'export'].map((verb) => [wide(), verb]);

describe('many evaluations', () => {
  it('leave turns to everything else, and no verb waits for them', async () => {
    const { engine, count } = await countingEngine(ALL, [sevenLabels]);
    const flood = Array.from({ length: 12 }, (_, n) =>
      engine.decide(toAccess(wide(), 'read', { context: { lifetimeSeconds: 100 + n } })),
    );
    const state = { over: false };
    const over = Promise.all(flood).finally(() => (state.over = true));
    let [longest, before] = [0, 0];
    const verbs: boolean[] = [];
    for (let n = 0; !state.over; n += 1) {
      const revoke = engine.decide(toOperate('revoke', { type: 'broker' }, workload(`lab:soc-${n}`), { revocation }));
      verbs.push(await Promise.race([revoke.then(() => true), turn(false)]));
      await turn();
      longest = Math.max(longest, count.done - before);
      before = count.done;
    }
    await over;
    expect(verbs.length).toBeGreaterThan(20);
    expect(verbs).not.toContain(false);
    expect(longest).toBeLessThan(40);
  });

  it('of others do not keep a simple question waiting until the last of them', async () => {
    const { engine } = await countingEngine(ALL, [sevenLabels]);
    const order: string[] = [];
    const asked = Array.from({ length: 8 }, (_, n) =>
      engine
        .decide(toAccess(wide(), 'read', { context: { lifetimeSeconds: 100 + n } }))
        .then(() => order.push('pattern')),
    );
    const simple = engine.decide(toAccess('incident/4711')).then(() => order.push('simple'));
    await Promise.all([...asked, simple]);
    expect(order.slice(0, 2)).toContain('simple');
  });

  it('are all by one policy set: a reload in between decides the question anew', async () => {
    const { engine, directory } = await countingEngine(ALL, [sevenLabels]);
    const before = engine.digest;
    writePolicies({ 'a.cedar': '@id("none") forbid (principal, action, resource);' }, directory);
    const state = { over: false };
    const reload = engine.reload().finally(() => (state.over = true));
    const verdicts: Verdict[] = [];
    while (!state.over) verdicts.push(...(await Promise.all(queriesOf(THREE).map((query) => engine.decide(query)))));
    await reload;
    const decidedBy = new Map([
      [before, 'permit all'],
      [engine.digest, 'deny none'],
    ]);
    for (const { digest, outcome, policies } of verdicts)
      expect(`${outcome} ${policies.join()}`).toBe(decidedBy.get(digest));
    expect(verdicts.at(-1)?.digest).toBe(engine.digest);
  });
});
