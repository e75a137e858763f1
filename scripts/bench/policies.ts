/** What one decision takes when many teams keep policies of their own: 1,000 policies in 50 files, and no verdict remembered. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { trustSchema } from '../../src/config/trust-schema.js';
import { createCedarEngine } from '../../src/policy/cedar/cedar.js';
import type { PolicyQuery } from '../../src/policy/query.js';
import { quantile } from './numbers.js';
import { table, targetTable } from './table.js';

const TARGET = 'https://tickets.example';
/** Each has five policies. */
const TEAMS = { few: 4, many: 200 };
const FILES = 50;

export async function measurePolicies(directory: string, decisions: number): Promise<string> {
  const few = await latencies(join(directory, 'few'), TEAMS.few, decisions);
  const many = await latencies(join(directory, 'many'), TEAMS.many, decisions);
  const row = (teams: number, sorted: number[]) => [
    String(teams * 5),
    ...[0.5, 0.99].map((share) => quantile(sorted, share).toFixed(2)),
  ];
  const p99 = quantile(many, 0.99);
  return [
    table(['policies, a decision', 'p50 ms', 'p99 ms'], [row(TEAMS.few, few), row(TEAMS.many, many)]),
    targetTable([['1,000 policies in 50 files, decision p99', '≤ 2 ms', p99, p99 <= 2, ' ms']]),
  ].join('\n\n');
}

async function latencies(directory: string, teams: number, decisions: number): Promise<number[]> {
  mkdirSync(directory, { recursive: true });
  for (let file = 0; file < FILES; file += 1) {
    const own = Array.from({ length: teams }, (_, team) => team).filter((team) => team % FILES === file);
    if (own.length > 0) writeFileSync(join(directory, `${file}.cedar`), own.map(policiesOf).join('\n'));
  }
  const engine = await createCedarEngine({
    directory,
    configured: { trust: [LAB], targets: [{ resource: TARGET, labels: [], tags: {} }] },
    maxCachedVerdicts: 0,
  });
  const took: number[] = [];
  for (let index = 0; index < decisions; index += 1) {
    const from = performance.now();
    const { outcome } = await engine.decide(queryOf(index % teams, index));
    took.push(performance.now() - from);
    if (outcome !== 'permit') throw new Error('the benchmark measures a refusal');
  }
  return took.sort((a, b) => a - b);
}

const LAB = trustSchema.parse({
  kind: 'oidc',
  name: 'lab',
  issuer: 'https://lab.example',
  owner: { claim: 'team' },
});

const policiesOf = (team: number): string => `
@id("team-${team} reads") @lifetime("900")
permit (principal in Owner::"team-${team}", action in Action::"read", resource in Resource::"${TARGET}#team/${team}");
@id("team-${team} writes")
permit (principal in Owner::"team-${team}", action == Action::"write", resource in Resource::"${TARGET}#team/${team}")
when { context.risk == "LOW" };
@id("team-${team} writes for a minute") @lifetime("60")
forbid (principal in Owner::"team-${team}", action in Action::"write", resource) when { context.lifetimeSeconds > 60 };
@id("team-${team} exports if asked") @approval("team-${team}")
forbid (principal in Owner::"team-${team}", action == Action::"export", resource)
unless { context.approvals.contains("team-${team}") };
@id("team-${team} opens its tasks")
permit (principal in Owner::"team-${team}", action == Action::"openTask", resource)
when { resource.workload in Owner::"team-${team}" };`;

const queryOf = (team: number, index: number): PolicyQuery => ({
  principal: {
    kind: 'workload',
    id: `lab:agent-${team}`,
    issuer: 'lab',
    owner: `team-${team}`,
    claims: {},
    groups: [],
  },
  action: index % 3 === 0 ? 'write' : 'read',
  resource: { type: 'resource', target: TARGET, path: `team/${team}/${index}` },
  context: {
    kind: 'access',
    purpose: `work ${index}`,
    purposeFrom: 'agent',
    lifetimeSeconds: 300,
    delegationDepth: 0,
    principalProven: false,
    chain: [],
    approvals: [],
    risk: 'LOW',
  },
});
