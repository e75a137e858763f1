/** `mayfly policy explain`: says which policies made an answer, which nearly did, and which facts they looked at. */
import { Option, type Command } from 'commander';
import { z } from 'zod';
import { defined } from '../../domain/defined.js';
import { masked } from '../../domain/text.js';
import { toTimestamp } from '../../domain/time.js';
import { createCedarEngine } from '../../policy/cedar/cedar.js';
import { explainPolicies } from '../../policy/cedar/explain.js';
import { readQuery } from '../../policy/cedar/written-query.js';
import { writtenQuerySchema } from '../../policy/cedar/written-schema.js';
import type { PolicyQuery } from '../../policy/query.js';
import { CONFIG, type Terminal } from '../terminal.js';
import { auditEntries, withAudit, type AuditOptions } from './audit-source.js';
import { linesOf, type Explanation } from './explanation.js';
import { recordedIn, WHY_NOT } from './replay.js';
import { aroundQueries, policiesAt, readWritten, type Policies, type Where } from './written-file.js';

interface Options extends AuditOptions, Where {
  decision?: string;
  request?: string;
  json?: true;
}

const EXAMPLE = `
  mayfly policy explain --decision dec_… -c mayfly.yaml
  mayfly policy explain --request question.yaml

A question is written like a case (docs/policy.md), without what is expected:

  config: mayfly.yaml
  principal: { workload: lab:agent-1, owner: sre }
  action: write
  resource: https://tickets.example#incident/4711

A decision is read from the audit log, which needs readAudit.`;

export function addExplain(policy: Command, terminal: Terminal): void {
  withAudit(policy.command('explain'))
    .description('say which policies made an answer, which nearly did, and which facts they looked at')
    .option('--decision <id>', 'of the audit log, such as dec_…: `decision_id` of a refusal')
    .addOption(new Option('--request <file>', 'a question that you write, in YAML').conflicts('decision'))
    .option(...CONFIG)
    .option('-p, --policies <directory>', 'default: those of the configuration')
    .option('--json', 'each question as one line of JSON')
    .addHelpText('after', EXAMPLE)
    .action(async ({ json, ...options }: Options) => {
      const { about, policies, queries } = await asked(options, terminal);
      for (const line of json ? [] : about) terminal.out(masked(line));
      for (const query of queries) {
        const explanation = await explained(policies, query);
        const lines = json ? [JSON.stringify(explanation)] : linesOf(explanation);
        for (const line of lines) terminal.out(json ? line : masked(line));
      }
    });
}

interface Question {
  /** Sentences that stand before all explanations. */
  about: string[];
  policies: Policies;
  queries: PolicyQuery[];
}

function asked(options: Options, terminal: Terminal): Promise<Question> {
  const where = defined({ config: options.config, policies: options.policies });
  if (options.request !== undefined) return written(options.request, where);
  if (options.decision !== undefined) return decided(options.decision, options, terminal);
  throw new Error('Give --decision <id> or --request <file>.');
}

const schema = z.strictObject({ ...aroundQueries, ...writtenQuerySchema.shape });
const shape = 'holds no question: it is written as in docs/policy.md';

async function written(file: string, where: Where): Promise<Question> {
  const { written: question, known, assertSound, ...policies } = await readWritten(file, where, { schema, shape });
  const queries = [readQuery(known, question, [])];
  assertSound();
  return { about: [], policies, queries };
}

async function decided(id: string, options: Options, terminal: Terminal): Promise<Question> {
  const policies = await policiesAt(defined({ config: options.config, policies: options.policies }));
  for await (const entry of auditEntries(options, terminal, { decision: id })) {
    if (entry.decision?.id !== id) continue;
    const recorded = recordedIn(entry);
    if (recorded === undefined) continue;
    if (typeof recorded === 'string') throw new Error(`${id} ${WHY_NOT[recorded]}: it cannot be explained.`);
    const { record, queries } = recorded;
    const by = record.policies.length > 0 ? `, by ${record.policies.join(', ')}` : ': no permit applied';
    const isOther = record.digest !== policies.set.digest;
    return {
      policies,
      queries,
      about: [
        `${id}, ${toTimestamp(entry.at)}, ${entry.type}: ${record.outcome}${by}`,
        ...(isOther ? [CAREFUL] : []),
        ...(recorded.isPart ? ['What else was asked for with it is not in the audit log.'] : []),
      ],
    };
  }
  throw new Error(`The audit log has no decision ${id}. It keeps entries for audit.retentionDays.`);
}

const CAREFUL =
  'CAREFUL: another policy set decided that, or other labels and tags of targets. Below is what these policies say.';

async function explained({ set, ...policies }: Policies, query: PolicyQuery): Promise<Explanation> {
  const engine = await createCedarEngine({ ...policies, maxCachedVerdicts: 0 });
  const verdict = await engine.decide(query);
  return defined({ query, verdict, policies: explainPolicies(set, policies.configured, query) });
}
