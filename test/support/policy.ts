/** Policies written for one test, and questions to them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Party } from '../../src/domain/party.js';
import { createCedarEngine } from '../../src/policy/cedar/cedar.js';
import { trustSchema, type Trust } from '../../src/config/trust-schema.js';
import type { Configured, PolicyTarget } from '../../src/policy/cedar/fit.js';
import type { PolicyEngine } from '../../src/policy/policy-engine.js';
import type { AccessContext, OperateContext, PolicyQuery, PolicyResource } from '../../src/policy/query.js';
import { temporaryDirectory } from './directory.js';

export const TICKETS = 'https://tickets.example';

export const ticketsTarget = (more: Partial<PolicyTarget> = {}): PolicyTarget => ({
  resource: TICKETS,
  labels: [],
  tags: {},
  ...more,
});

/** Issuers of workloads, of which one names their team, and of persons with groups. */
export const TRUST: readonly Trust[] = [
  { name: 'lab', owner: { claim: 'team' }, claims: ['ref', 'roles', 'teams', 'none', '__entity'] },
  { name: 'ci' },
  { name: 'corp' },
  { name: 'corp', represents: 'person', groups: { claim: 'groups' } },
  { name: 'staff', represents: 'person', groups: { claim: 'groups' }, claims: ['email', 'department'] },
].map((entry) => trustSchema.parse({ kind: 'oidc', issuer: `https://${entry.name}.example`, ...entry }));

/** What policies can speak of: these targets, and the parties of `TRUST`. */
export const configuredWith = (
  targets: readonly PolicyTarget[] = [ticketsTarget()],
  more: Partial<Configured> = {},
): Configured => ({ targets, trust: [...TRUST], ...more });

export function writePolicies(files: Record<string, string>, directory = temporaryDirectory()): string {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

export const engineOf = (
  text: string,
  targets: readonly PolicyTarget[] = [ticketsTarget()],
  more: Record<string, string> = {},
): Promise<PolicyEngine> =>
  createCedarEngine({
    directory: writePolicies({ 'a.cedar': text, ...more }),
    configured: configuredWith(targets),
    maxCachedVerdicts: 1_000,
  });

export const workload = (id = 'lab:agent-7', more: Partial<Party> = {}): Party => ({
  kind: 'workload',
  id,
  issuer: id.slice(0, id.indexOf(':')),
  owner: 'sre',
  claims: {},
  groups: [],
  ...more,
});

export const person = (id: string, groups: string[] = []): Party => ({
  kind: 'person',
  id,
  issuer: id.slice(0, id.indexOf(':')),
  claims: {},
  groups,
});

interface Asked {
  by?: Party;
  target?: string;
  context?: Partial<AccessContext>;
}

/** Asks whether `by` may do this to the path. */
export const toAccess = (path: string, action = 'read', { by, target, context }: Asked = {}): PolicyQuery => ({
  principal: by ?? workload(),
  action,
  resource: { type: 'resource', target: target ?? TICKETS, path },
  context: {
    kind: 'access',
    purpose: 'summarise incident 4711',
    purposeFrom: 'agent',
    lifetimeSeconds: 300,
    delegationDepth: 0,
    principalProven: false,
    chain: [],
    approvals: [],
    risk: 'LOW',
    ...context,
  },
});

/** Asks whether `by` may use this verb of the broker. */
export const toOperate = (
  action: string,
  resource: PolicyResource,
  by: Party = workload(),
  context: Partial<OperateContext> = {},
): PolicyQuery => ({ principal: by, action, resource, context: { kind: 'operate', ...context } });

export const taskOf = (by: Party, purpose = 'summarise incident 4711'): PolicyResource => ({
  type: 'task',
  task: { id: 'tsk_aabbbbbbbbbbbbbb', workload: by, purpose },
});
