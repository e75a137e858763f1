/** The policies that are shipped do what their texts say: development policies, examples, and the page about them. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { checkPolicies } from '../../../src/policy/cedar/check-policies.js';
import { createCedarEngine } from '../../../src/policy/cedar/cedar.js';
import type { PolicyTarget } from '../../../src/policy/cedar/fit.js';
import type { PolicyQuery } from '../../../src/policy/query.js';
import { SHIPPED_SCHEMA } from '../../../src/policy/cedar/schema.js';
import {
  configuredWith,
  engineOf,
  person,
  taskOf,
  ticketsTarget,
  toAccess,
  toOperate,
  workload,
  TICKETS,
} from '../../support/policy.js';

const root = new URL('../../../', import.meta.url).pathname;
const read = (path: string) => readFileSync(root + path, 'utf8');
const target = (name: string, more: Partial<PolicyTarget> = {}): PolicyTarget => ({
  ...ticketsTarget(more),
  resource: `https://${name}.example`,
});

const TARGETS = [
  ticketsTarget({ labels: [{ match: 'incident/restricted/**', sensitivity: ['restricted'] }] }),
  ...['ledger', 'reports'].map((name) => target(name)),
  target('orders', { tags: { team: 'shop' } }),
  target('staging-orders', { tags: { team: 'shop', environment: 'staging' } }),
  target('people', {
    labels: [
      { match: 'people/*/salary', sensitivity: ['personal', 'secret'] },
      { match: 'people/**', sensitivity: ['personal'] },
    ],
  }),
];

type Expected = [what: string, query: PolicyQuery, outcome: string];

const on = (name: string, path: string, action = 'read', more: Parameters<typeof toAccess>[2] = {}) =>
  toAccess(path, action, { ...more, target: `https://${name}.example` });
const of = (owner: string) => workload('corp:agent', { owner });
const nothing = { claims: {}, unread: [] };
const orderIs = (status: string) => ({
  subject: nothing,
  action: nothing,
  context: nothing,
  resource: { ...nothing, claims: { status } },
});
const ann = person('corp:ann', ['finance']);
const revoke = (kind: string, by = person('corp:bob', ['oncall'])) =>
  toOperate('revoke', { type: 'broker' }, by, { revocation: { kind, value: 'x', effect: 'hold', dryRun: false } });

const documented: Record<string, Expected[]> = {
  'least-privilege': [
    ['a team writes its own', on('ledger', 'team/payments/2024', 'write', { by: of('payments') }), 'permit'],
    ['not another team', on('ledger', 'team/payments/2024', 'write', { by: of('shop') }), 'deny'],
    ['prices for all', on('ledger', 'prices', 'read', { by: of('shop') }), 'permit'],
    ['and nothing beneath them', on('ledger', 'prices/draft', 'read', { by: of('shop') }), 'deny'],
    ['no agent closes the books', on('ledger', 'team/payments/closing/q1', 'write', { by: of('payments') }), 'deny'],
    [
      'but one acting for somebody',
      on('ledger', 'team/payments/closing/q1', 'write', {
        by: of('payments'),
        context: { onBehalfOf: ann, principalProven: true },
      }),
      'permit',
    ],
    [
      'whose own token was presented: anybody can name one',
      on('ledger', 'team/payments/closing/q1', 'write', { by: of('payments'), context: { onBehalfOf: ann } }),
      'deny',
    ],
    ['nor by a pattern', on('ledger', 'team/payments/**', 'write', { by: of('payments') }), 'deny'],
  ],
  'break-glass': [
    [
      'reading, for five minutes',
      on('orders', 'production/1', 'read', {
        by: of('incident-response'),
        context: { purposeFrom: 'opener', lifetimeSeconds: 900 },
      }),
      'permit 300',
    ],
    [
      'repairing needs a person',
      on('orders', 'production/1', 'write', { by: of('incident-response'), context: { purposeFrom: 'opener' } }),
      'needs-approval duty-managers',
    ],
    [
      'with whose approval it is granted',
      on('orders', 'production/1', 'write', {
        by: of('incident-response'),
        context: { purposeFrom: 'opener', approvals: ['duty-managers'] },
      }),
      'permit 300',
    ],
    ['a made-up purpose opens nothing', on('orders', 'production/1', 'write', { by: of('incident-response') }), 'deny'],
  ],
  'production-lifetimes': [
    [
      'an hour in staging',
      on('staging-orders', 'x', 'read', { by: of('shop'), context: { lifetimeSeconds: 3_600 } }),
      'permit 3600',
    ],
    [
      'ten minutes elsewhere',
      on('orders', 'x', 'read', { by: of('shop'), context: { lifetimeSeconds: 3_600 } }),
      'permit 600',
    ],
    [
      'one under suspicion',
      on('orders', 'x', 'read', { by: of('shop'), context: { lifetimeSeconds: 3_600, risk: 'HIGH' } }),
      'permit 60',
    ],
    ['no third hop', on('orders', 'x', 'read', { by: of('shop'), context: { delegationDepth: 3 } }), 'deny'],
  ],
  properties: [
    [
      'the API says something',
      toOperate('assertProperties', { type: 'target', target: 'https://orders.example' }, workload('corp:orders-api')),
      'permit',
    ],
    [
      'nobody else does',
      toOperate('assertProperties', { type: 'target', target: 'https://orders.example' }, of('shop')),
      'deny',
    ],
    ['a grant', on('orders', 'x', 'write', { by: of('shop') }), 'permit'],
    [
      'a use of what is archived',
      on('orders', 'x', 'write', { by: of('shop'), context: { given: orderIs('archived') } }),
      'deny',
    ],
    ['of what is not', on('orders', 'x', 'write', { by: of('shop'), context: { given: orderIs('open') } }), 'permit'],
  ],
  people: [
    [
      'for finance',
      on('reports', 'finance/q1', 'read', { by: of('assistants'), context: { onBehalfOf: ann } }),
      'permit',
    ],
    ['for itself not', on('reports', 'finance/q1', 'read', { by: of('assistants') }), 'deny'],
    [
      'for somebody else not',
      on('reports', 'finance/q1', 'read', { by: of('assistants'), context: { onBehalfOf: person('corp:eve') } }),
      'deny',
    ],
    ['on-call ends tasks', toOperate('completeTask', taskOf(of('shop')), person('corp:bob', ['oncall'])), 'permit'],
    ['and revokes a workload', revoke('workload'), 'permit'],
    ['not everything', revoke('all'), 'deny'],
    ['others revoke nothing', revoke('workload', ann), 'deny'],
  ],
  labels: [
    ['one record', on('people', 'people/ann', 'read', { by: of('hr') }), 'permit'],
    ['no salary', on('people', 'people/ann/salary', 'read', { by: of('hr') }), 'deny'],
    ['no folder of people', on('people', 'people/*', 'read', { by: of('hr') }), 'deny'],
    ['not by asking for everything', on('people', '**', 'read', { by: of('hr') }), 'deny'],
    ['what is not personal, by pattern', on('people', 'jobs/**', 'read', { by: of('hr') }), 'permit'],
  ],
};

/** The outcome, with the lifetime or the groups where the expectation speaks of them. */
async function outcomeOf(file: string, query: PolicyQuery, expected: string): Promise<string> {
  const engine = await engineOf(read(`examples/policies/${file}.cedar`), TARGETS);
  const { outcome, lifetimeSeconds = '', approvals } = await engine.decide(query);
  return expected.includes(' ') ? `${outcome} ${approvals?.join(' ') ?? lifetimeSeconds}` : outcome;
}

describe.each(Object.entries(documented))('examples/policies/%s.cedar', (file, cases) => {
  it.each(cases)('%s', async (_, query, expected) => {
    expect(await outcomeOf(file, query, expected)).toBe(expected);
  });
});

it('every example is tested here, and all of them can be used together', async () => {
  const files = readdirSync(`${root}examples/policies`).sort();
  expect(files).toEqual(
    Object.keys(documented)
      .map((name) => `${name}.cedar`)
      .sort(),
  );
  expect((await checkPolicies(`${root}examples/policies`, configuredWith(TARGETS))).problems).toEqual([]);
});

describe('the development policies', () => {
  const engine = createCedarEngine({
    directory: `${root}config/policies`,
    configured: configuredWith(TARGETS),
    maxCachedVerdicts: 10,
  });
  const agent = workload('lab:agent-7');
  const operator = (name: string) => workload(`lab:${name}`, { owner: 'platform' });
  const introspect = (by: string, resource = TICKETS) =>
    toOperate('introspect', { type: 'target', target: resource }, operator(by));
  it.each<Expected>([
    ['the agent opens a task for itself', toOperate('openTask', taskOf(agent), agent), 'permit'],
    ['and reads its incident', toAccess('incident/4711'), 'permit'],
    ['it ends its own task', toOperate('completeTask', taskOf(agent), agent), 'permit'],
    ['not that of another', toOperate('completeTask', taskOf(workload('lab:agent-8')), agent), 'deny'],
    ['it suspends nothing', toOperate('suspendTask', taskOf(agent), agent), 'deny'],
    ['the payroll is not its business', toAccess('payroll/2024'), 'deny'],
    ['it writes nothing', toAccess('incident/4711', 'write'), 'deny'],
    ['it cannot ask for everything', toAccess('**'), 'deny'],
    ['an export waits for the on-call', toAccess('incident/4711', 'export'), 'needs-approval'],
    ['the orchestrator opens for an agent', toOperate('openTask', taskOf(agent), operator('orchestrator')), 'permit'],
    ['it suspends and resumes', toOperate('resumeTask', taskOf(agent), operator('orchestrator')), 'permit'],
    ['it reads no incident', toAccess('incident/4711', 'read', { by: operator('orchestrator') }), 'deny'],
    ['the SOC revokes', revoke('workload', operator('soc')), 'permit'],
    ['the SOC reads the audit log', toOperate('readAudit', { type: 'broker' }, operator('soc')), 'permit'],
    ['an agent does not', toOperate('readAudit', { type: 'broker' }, agent), 'deny'],
    ['the API asks about its own', introspect('tickets-api'), 'permit'],
    ['not about others', introspect('tickets-api', 'https://ledger.example'), 'deny'],
    ['an agent asks about nothing', toOperate('introspect', { type: 'target', target: TICKETS }, agent), 'deny'],
  ])('%s', async (_, query, outcome) => {
    expect((await (await engine).decide(query)).outcome).toBe(outcome);
  });

  it('restricted incidents are granted for a minute', async () => {
    expect(await (await engine).decide(toAccess('incident/restricted/1'))).toMatchObject({
      outcome: 'permit',
      lifetimeSeconds: 60,
    });
  });

  it('bring the shipped schema and one addition', () => {
    expect(read('config/policies/schema.cedarschema')).toContain(SHIPPED_SCHEMA);
  });
});

describe('docs/policy.md', () => {
  const page = read('docs/policy.md');

  it('its policies can be used, and do what the text says', async () => {
    const blocks = [...page.matchAll(/```cedar\n([^]*?)```/g)].map((match) => match[1] ?? '');
    const engine = await engineOf(blocks.join('\n'), TARGETS);
    expect(await engine.decide(toAccess('incident/4711'))).toMatchObject({ outcome: 'permit', lifetimeSeconds: 300 });
    expect(await engine.decide(toAccess('incident/restricted/1'))).toMatchObject({
      outcome: 'permit',
      lifetimeSeconds: 60,
    });
  });

  it('names every entity, action and attribute of the schema', () => {
    const declared = SHIPPED_SCHEMA.replace(/\/\/.*|".*?"/g, '').matchAll(
      /(?:entity|action) ([\w, ]+?)(?: in| tags| enum| appliesTo| =|;)|(\w+)\??: /g,
    );
    const names = [...declared].flatMap(([, list, attribute]) => (list ?? attribute ?? '').split(', '));
    const grammar = ['principal', 'resource', 'context'];
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter((name) => !grammar.includes(name) && !page.includes(name))).toEqual([]);
  });
});
