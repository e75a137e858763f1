/** What is explained of a policy is what Cedar finds: who decides, who fails, and which condition keeps a policy from applying. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Party } from '../../../src/domain/party.js';
import { isAuthorized } from '../../../src/policy/cedar/cedar-wasm.js';
import { termsOf } from '../../../src/policy/cedar/context.js';
import { partyUid } from '../../../src/policy/cedar/entities.js';
import { explainPolicies, type PolicyExplained } from '../../../src/policy/cedar/explain.js';
import { loadPolicies } from '../../../src/policy/cedar/load-policies.js';
import { plannableOf } from '../../../src/policy/cedar/plannable.js';
import { planner } from '../../../src/policy/cedar/plan.js';
import type { PolicyQuery } from '../../../src/policy/query.js';
import { configuredWith, person, ticketsTarget, toAccess, workload, writePolicies } from '../../support/policy.js';

const LABELS = [{ match: 'incident/secret/**', sensitivity: ['restricted'] }];
const configured = configuredWith([ticketsTarget({ labels: LABELS, tags: { team: 'sre' } })]);

async function setOf(policies: readonly string[]) {
  const { set, problems } = await loadPolicies(writePolicies({ 'a.cedar': policies.join('\n') }), configured);
  if (!set) throw new Error(JSON.stringify(problems));
  return set;
}

const heads = {
  principal: ['principal', 'principal == Workload::"lab:agent-7"', 'principal in Owner::"sre"', 'principal in Owner::"ci"', 'principal is Workload in Issuer::"lab"'], // prettier-ignore
  action: ['action in Action::"access"', 'action == Action::"read"', 'action in [Action::"read", Action::"write"]'],
  resource: ['resource', 'resource in Resource::"https://tickets.example#incident"', 'resource == Resource::"https://tickets.example#incident/4711"', 'resource in Target::"https://tickets.example"'], // prettier-ignore
};
// The last ones cannot be evaluated where what they need is not there: a tag needs no guard for Cedar's validator.
const CONDITIONS = [
  'when { context.risk == "LOW" }',
  'when { context.purpose == "triage" && context.lifetimeSeconds < 600 }',
  'when { context has onBehalfOf && context.onBehalfOf in Group::"oncall" && context.principalProven }',
  'when { context has onBehalfOf } when { context.onBehalfOf.hasTag("department") && context.onBehalfOf.getTag("department") == "it" }',
  'unless { context.risk == "HIGH" || resource.sensitivity.contains("restricted") }',
  'unless { context has onBehalfOf && context.onBehalfOf in Group::"oncall" } when { resource.target.hasTag("team") && resource.target.getTag("team") == "sre" }',
  'when { principal.lists.hasTag("roles") && principal.lists.getTag("roles").contains("deployer") }',
  'when { !(context.risk == "MEDIUM") && (context.purposeFrom == "opener" || context.lifetimeSeconds * 9007199254740991 * 2 > 1) }',
  'unless { context.lifetimeSeconds * 9007199254740991 * 2 > 1 || context.risk == "LOW" }',
  '',
];

const policy = fc
  .record({
    effect: fc.constantFrom('permit', 'forbid'),
    principal: fc.constantFrom(...heads.principal),
    action: fc.constantFrom(...heads.action),
    resource: fc.constantFrom(...heads.resource),
    conditions: fc.uniqueArray(fc.constantFrom(...CONDITIONS), { maxLength: 3 }),
  })
  .map(
    ({ effect, principal, action, resource, conditions }) =>
      `${effect}(${principal}, ${action}, ${resource}) ${conditions.join(' ')};`,
  );

const query = fc
  .record({
    owner: fc.constantFrom('sre', 'ci'),
    roles: fc.constantFrom([], ['deployer']),
    action: fc.constantFrom('read', 'write', 'export'),
    path: fc.constantFrom('incident/4711', 'incident/secret/1', 'incident', 'board/1', 'incident/*', '**'),
    onBehalfOf: fc.constantFrom<(Party | undefined)[]>(undefined, person('staff:ann', ['oncall']), {
      ...person('staff:bob'),
      claims: { department: 'it' },
    }),
    purpose: fc.constantFrom('triage', 'other'),
    purposeFrom: fc.constantFrom('opener' as const, 'agent' as const),
    lifetimeSeconds: fc.constantFrom(1, 300, 900),
    risk: fc.constantFrom('LOW' as const, 'MEDIUM' as const, 'HIGH' as const),
    principalProven: fc.boolean(),
  })
  .map(({ owner, roles, action, path, onBehalfOf, ...context }) =>
    toAccess(path, action, {
      by: workload('lab:agent-7', { owner, claims: { roles } }),
      context: { ...context, ...(onBehalfOf && { onBehalfOf }) },
    }),
  );

/** Asks Cedar about the whole set: for each part of a pattern, which policies determine the answer, and which fail. */
function determining(set: Awaited<ReturnType<typeof setOf>>, asked: PolicyQuery) {
  const plan = planner(plannableOf(set, configured, false), 0)(asked);
  if (typeof plan === 'string') throw new Error(plan);
  return plan.subjects.map(({ uid, entities }) => {
    const answer = isAuthorized({
      principal: partyUid(asked.principal),
      action: { type: 'Action', id: asked.action },
      resource: uid,
      context: plan.contextUnder(termsOf(asked)),
      entities: [...plan.around, ...entities],
      policies: { staticPolicies: Object.fromEntries(set.policies.map(({ id, json }) => [id, json])) },
      validateRequest: false,
    });
    if (answer.type === 'failure') throw new Error(JSON.stringify(answer));
    const { decision, diagnostics } = answer.response;
    return { decision, reason: diagnostics.reason, failing: diagnostics.errors.map(({ policyId }) => policyId) };
  });
}

const idsOf = (policies: readonly PolicyExplained[], outcome: string, effect?: string): string[] =>
  policies
    .filter((one) => one.outcome === outcome && (effect === undefined || one.rule.effect === effect))
    .map(({ id }) => id)
    .sort();

function agrees(set: Awaited<ReturnType<typeof setOf>>, asked: PolicyQuery): void {
  const parts = determining(set, asked);
  const explained = explainPolicies(set, configured, asked) ?? [];
  expect(idsOf(explained, 'fails')).toEqual([...new Set(parts.flatMap(({ failing }) => failing))].sort());
  const [one] = parts;
  if (parts.length > 1 || !one) return;
  const effect = one.decision === 'allow' ? 'permit' : 'forbid';
  expect(idsOf(explained, 'applies', effect)).toEqual([...one.reason].sort());
  if (effect === 'permit') expect(idsOf(explained, 'applies', 'forbid')).toEqual([]);
}

const POLICIES = fc.array(policy, { minLength: 4, maxLength: 12 });

describe('an explanation', () => {
  it('agrees with Cedar about each policy of a set', async () => {
    await fc.assert(
      fc.asyncProperty(POLICIES, fc.array(query, { minLength: 8, maxLength: 8 }), async (texts, queries) => {
        const set = await setOf(texts.map((text, index) => `@id("p${index}") ${text}`));
        for (const asked of queries) agrees(set, asked);
      }),
      { numRuns: 8 },
    );
  });

  it('counts of a pattern to how many parts a policy applies, as Cedar does', async () => {
    const texts = ['@id("wide") permit(principal, action in Action::"access", resource);', '@id("one") forbid(principal, action in Action::"access", resource in Resource::"https://tickets.example#incident/4711");']; // prettier-ignore
    const set = await setOf(texts);
    const asked = toAccess('incident/*');
    const parts = determining(set, asked);
    const [one, wide] = explainPolicies(set, configured, asked) ?? [];
    const forbidden = parts.filter(({ decision }) => decision === 'deny').length;
    expect(one).toMatchObject({ outcome: 'applies', within: { applies: forbidden, of: parts.length } });
    expect(wide).toMatchObject({ outcome: 'applies', within: { applies: parts.length, of: parts.length } });
  });

  it('names the conditions that do not hold, and the facts that each looks at', async () => {
    const set = await setOf([
      '@id("p") permit(principal in Owner::"ci", action == Action::"read", resource in Resource::"https://tickets.example#incident") when { context.purpose == "triage" && context has onBehalfOf && context.onBehalfOf in Group::"oncall" } unless { context.risk == "HIGH" || principal.hasTag("ref") };',
    ]);
    const asked = toAccess('board/1', 'read', { by: workload('lab:agent-7', { claims: { ref: 'main' } }) });
    expect(explainPolicies(set, configured, asked)).toMatchObject([
      {
        outcome: 'does-not-apply',
        missing: 5,
        parts: [
          {
            text: 'principal in Owner::"ci"',
            is: 'false',
            facts: ['principal is Workload::"lab:agent-7", in Issuer::"lab", Owner::"sre"'],
          },
          {
            text: 'action == Action::"read"',
            is: 'true',
            facts: [expect.stringContaining('action is Action::"read"')],
          },
          {
            text: 'resource in Resource::"https://tickets.example#incident"',
            is: 'false',
            facts: ['resource is Resource::"https://tickets.example#board/1"'],
          },
          {
            text: 'context.purpose == "triage"',
            is: 'false',
            facts: ['context.purpose is "summarise incident 4711"'],
          },
          { text: 'context has onBehalfOf', is: 'false', facts: ['context has onBehalfOf is false'] },
          { text: 'context.onBehalfOf in Group::"oncall"', is: 'unread' },
          { text: 'unless context.risk == "HIGH"', is: 'true', facts: ['context.risk is "LOW"'] },
          { text: 'unless principal.hasTag("ref")', is: 'false', facts: ['principal.hasTag("ref") is true'] },
        ],
      },
    ]);
  });

  it('says nothing of policies where the schema does not describe the query', async () => {
    const set = await setOf(['@id("p") permit(principal, action in Action::"access", resource);']);
    expect(explainPolicies(set, configured, toAccess('a', 'levitate'))).toBeUndefined();
    expect(
      explainPolicies(set, configured, toAccess('a', 'read', { target: 'https://other.example' })),
    ).toBeUndefined();
  });
});
