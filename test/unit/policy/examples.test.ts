/** The policies that are shipped do what their texts say: development policies, examples, and the page about them. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { readCases } from '../../../src/cli/policy/case-file.js';
import { run } from '../../../src/cli/run.js';
import { loadConfig } from '../../../src/config/load.js';
import type { Party } from '../../../src/domain/party.js';
import { checkPolicies } from '../../../src/policy/cedar/check-policies.js';
import { createCedarEngine } from '../../../src/policy/cedar/cedar.js';
import { parsePolicyFile } from '../../../src/policy/cedar/policy-file.js';
import type { PolicyEngine } from '../../../src/policy/policy-engine.js';
import type { PolicyQuery } from '../../../src/policy/query.js';
import { SHIPPED_SCHEMA } from '../../../src/policy/cedar/schema.js';
import { handClock } from '../../support/clock.js';
import {
  configuredWith,
  engineOf,
  taskOf,
  ticketsTarget,
  toAccess,
  toOperate,
  workload,
  writePolicies,
  TICKETS,
} from '../../support/policy.js';

const root = new URL('../../../', import.meta.url).pathname;
const read = (path: string) => readFileSync(root + path, 'utf8');
const EXAMPLES = readdirSync(`${root}examples/policies`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `${root}examples/policies/${name}`);
const config = `${root}examples/policies/mayfly.yaml`;

describe('examples/policies', () => {
  it.each(EXAMPLES)('do what their cases say: %s', async (directory) => {
    const said: string[] = [];
    const terminal = {
      out: (text: string) => said.push(text),
      err: (text: string) => said.push(text),
      clock: handClock(),
    };
    expect([await run(['policy', 'test', `${directory}/cases.yaml`], terminal), ...said]).toEqual([
      0,
      expect.stringMatching(/: (\d+) of \1 as expected$/),
    ]);
  });

  it.each(EXAMPLES)('have no policy that no case needs: %s', async (directory) => {
    const { cases, engine } = await readCases(`${directory}/cases.yaml`, {});
    const { config: configured } = await loadConfig({ path: config, checkFiles: false });
    const answers = async (by: PolicyEngine) => {
      const verdicts = await Promise.all(cases.map(({ query }) => by.decide(query)));
      return verdicts.map(({ outcome, lifetimeSeconds, needs }) => ({ outcome, lifetimeSeconds, needs }));
    };
    const { policies } = parsePolicyFile('policies.cedar', readFileSync(`${directory}/policies.cedar`, 'utf8'));
    const all = await answers(engine);
    for (const { id } of policies) {
      const others = policies.filter((one) => one.id !== id).map(({ text }) => text);
      const without = writePolicies({ 'a.cedar': [...others, FOR_NOBODY].join('\n') });
      const reduced = await createCedarEngine({ directory: without, configured, maxCachedVerdicts: 0 });
      expect([id, await answers(reduced)]).not.toEqual([id, all]);
    }
  });

  it('can be used together', async () => {
    const { config: configured } = await loadConfig({ path: config, checkFiles: false });
    const together = EXAMPLES.map((directory) => [
      `${basename(directory)}.cedar`,
      readFileSync(`${directory}/policies.cedar`, 'utf8'),
    ]);
    const directory = writePolicies(Object.fromEntries(together) as Record<string, string>);
    expect((await checkPolicies(directory, configured)).problems).toEqual([]);
  });
});

/** A directory without any policy is a mistake. */
const FOR_NOBODY = '@id("nobody") permit (principal == Workload::"corp:nobody", action == Action::"read", resource);';

type Expected = [what: string, query: PolicyQuery, outcome: string];

const TARGETS = [
  ticketsTarget({ labels: [{ match: 'incident/restricted/**', sensitivity: ['restricted'] }] }),
  ticketsTarget({ resource: 'https://ledger.example' }),
];

const revoke = (kind: string, by: Party) =>
  toOperate('revoke', { type: 'broker' }, by, { revocation: { kind, value: 'x', effect: 'hold', dryRun: false } });

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
