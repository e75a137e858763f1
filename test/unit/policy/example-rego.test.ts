/** config/policies/example.rego says what the Cedar policies beside it say: the same questions have the same answers. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { createCedarEngine } from '../../../src/policy/cedar/cedar.js';
import type { Verdict } from '../../../src/policy/policy-engine.js';
import type { PolicyQuery, PolicyResource } from '../../../src/policy/query.js';
import { describeWithOpa, sharedOpa, WHICH_OPA } from '../../support/policy-engines/opa.js';
import { opaEngine } from '../../support/policy-engines/remote.js';
import {
  configuredWith,
  person,
  taskOf,
  ticketsTarget,
  toAccess,
  toOperate,
  workload,
  TICKETS,
} from '../../support/policy.js';

const directory = new URL('../../../config/policies', import.meta.url).pathname;
const rego = readFileSync(`${directory}/example.rego`, 'utf8');

/** Those whom a policy names, and others beside each. */
const PRINCIPALS = [
  workload('lab:agent-7'),
  workload('lab:agent-8', { owner: 'sales' }),
  workload('ci:agent-7', { owner: 'platform' }),
  ...['orchestrator', 'soc', 'siem', 'tickets-api'].map((name) => workload(`lab:${name}`, { owner: 'platform' })),
  person('staff:ann', ['sre-oncall']),
];
const LEDGER = 'https://ledger.example';
const LABELLED = 'incident/restricted';
const TARGETS = [
  ticketsTarget({ labels: [{ match: `${LABELLED}/**`, sensitivity: ['restricted'] }] }),
  ticketsTarget({ resource: LEDGER }),
];

const PATHS = ['incident', 'incident/1', `${LABELLED}/1`, 'incidents/1', 'incident/*', 'incident/**', '*/1', 'tool/x'];

const accesses = (): PolicyQuery[] =>
  PRINCIPALS.flatMap((by) =>
    ['read', 'write', 'execute', 'export'].flatMap((action) => [
      toAccess('incident/1', action, { by, target: LEDGER }),
      ...PATHS.flatMap((path) =>
        [300, 30].flatMap((lifetimeSeconds) =>
          [[], ['sre-oncall']].map((approvals) =>
            toAccess(path, action, { by, context: { lifetimeSeconds, approvals } }),
          ),
        ),
      ),
    ]),
  );

const ann = person('staff:ann');
const root = { lifetimeSeconds: 3_600, delegationDepth: 0, chain: [] };
const opened = (principalProven: boolean) => ({ ...root, onBehalfOf: ann, principalProven });

const verbs = (): PolicyQuery[] => {
  const on = (resource: PolicyResource, context: object, ...actions: string[]) =>
    PRINCIPALS.flatMap((by) => actions.map((action) => toOperate(action, resource, by, context)));
  const tasks = ['lab:agent-7', 'ci:agent-7', 'lab:soc'].map((id) => taskOf(workload(id)));
  const revocation = { kind: 'workload', value: 'lab:agent-7', effect: 'hold', dryRun: false };
  const question = (group: string): PolicyResource => ({
    type: 'approval',
    approval: { id: 'apr_1', group, workload: workload('lab:agent-7'), target: TICKETS, access: [], purpose: 'x' },
  });
  const run = (issuer: string, own: boolean) => ({ run: { issuer, run: '1', own } });
  return [
    ...tasks.flatMap((task) => [
      ...on(task, { opening: { ...root, principalProven: false } }, 'openTask'),
      ...on(task, { opening: opened(true) }, 'openTask'),
      ...on(task, { opening: opened(false) }, 'openTask'),
      ...on(task, {}, 'completeTask', 'suspendTask', 'resumeTask', 'heartbeat', 'readTask'),
    ]),
    ...[run('lab', true), run('lab', false), run('ci', true)].flatMap((one) =>
      on({ type: 'broker' }, one, 'completeRun'),
    ),
    ...[TICKETS, LEDGER].flatMap((target) =>
      on({ type: 'target', target }, {}, 'introspect', 'evaluate', 'assertProperties', 'reportUsage'),
    ),
    ...on({ type: 'broker' }, { revocation }, 'revoke'),
    ...['sre-oncall', 'finance'].flatMap((group) => [
      ...on(question(group), {}, 'approve'),
      ...on(question(group), { emergency: { own: true } }, 'breakGlass'),
      ...on(question(group), { emergency: { own: false } }, 'breakGlass'),
    ]),
    ...on({ type: 'broker' }, {}, 'readRevocations', 'readCredential', 'readAudit', 'sendSignal', 'followFeed'),
  ];
};

/** Cedar says apart which of the policies want an approval, and each engine has a digest of its own. */
const comparable = (query: PolicyQuery, verdict: Verdict) => ({ query, ...verdict, wantedBy: [], digest: '' });

describe('config/policies/example.rego', () => {
  // Rego is read by nothing but OPA. Without one, this is what is known of the file.
  it('names the policies that the Cedar files beside it have, and no others', () => {
    const cedar = readdirSync(directory)
      .filter((name) => name.endsWith('.cedar'))
      .flatMap((name) => [...readFileSync(`${directory}/${name}`, 'utf8').matchAll(/^@id\("(.+)"\)$/gm)]);
    const ids = (found: Iterable<RegExpMatchArray>) => [...found].map(([, id]) => id).sort();
    expect(ids(rego.matchAll(/^(?:permits|guards) contains "(.+?)" if/gm))).toEqual(ids(cedar));
  });

  describeWithOpa(`asked of ${WHICH_OPA}`, () => {
    it.each([
      ['access', accesses],
      ['verbs', verbs],
    ])('answers what Cedar answers: %s', async (_, queries) => {
      const { url, put } = await sharedOpa();
      await put('mayfly-example', rego);
      const opa = await opaEngine(url, 'mayfly/answer', { targets: TARGETS });
      const cedar = await createCedarEngine({ directory, configured: configuredWith(TARGETS), maxCachedVerdicts: 0 });
      const outcomes = new Set<string>();
      for (const query of queries()) {
        const [expected, found] = await Promise.all([cedar.decide(query), opa.decide(query)]);
        outcomes.add(expected.outcome);
        expect(comparable(query, found)).toEqual(comparable(query, expected));
      }
      expect(outcomes.size).toBeGreaterThan(1);
    });
  });
});
