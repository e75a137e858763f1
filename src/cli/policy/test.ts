/** `mayfly policy test`: asks policies what a file of cases asks, and says which answers are others than expected. */
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import { masked } from '../../domain/text.js';
import type { Verdict } from '../../policy/policy-engine.js';
import type { Terminal } from '../terminal.js';
import { readCases, type Case, type Expectation } from './case-file.js';
import type { Where } from './written-file.js';

const EXAMPLE = `
  mayfly policy test tests/*.yaml

A file (docs/policy.md has more):

  parties:
    agent: { workload: lab:agent-1, owner: sre }
  cases:
    - name: incidents are read, for five minutes
      principal: agent
      action: read
      resource: https://tickets.example#incident/4711
      context: { lifetimeSeconds: 900 }
      expect: { outcome: permit, lifetimeSeconds: 300 }
`;

export function addTest(policy: Command, { out }: Terminal): void {
  policy
    .command('test')
    .description('ask policies what files of cases ask, and show each answer that is not as expected')
    .argument('<files...>', 'the cases, in YAML')
    .option('-c, --config <file>', 'the configuration; default: `config` of the file, or MAYFLY_CONFIG')
    .option('-p, --policies <directory>', 'default: `policies` of the file, or those of the configuration')
    .addHelpText('after', EXAMPLE)
    .action(async (files: string[], where: Where) => {
      const results: Result[] = [];
      for (const file of files) results.push(await tried(file, where));
      for (const line of results.flatMap(({ lines }) => lines)) out(masked(line));
      const [failed, broken] = [sum(results.map((one) => one.failed)), results.filter((one) => one.broken).length];
      if (broken > 0) throw new Error(`${broken} of ${files.length} files cannot be tried; see above.`);
      if (failed > 0) throw new Error(`${failed} of ${sum(results.map(({ all }) => all))} cases are not as expected.`);
    });
}

/** What became of the cases of one file. `broken`: it could not be read, or its policies could not. */
interface Result {
  lines: string[];
  failed: number;
  all: number;
  broken?: true;
}

/** A file with a mistake does not hide what is to be said of the others. */
async function tried(file: string, where: Where): Promise<Result> {
  try {
    const { cases, engine } = await readCases(file, where);
    const reports = await Promise.all(cases.map(async (one) => report(file, one, await engine.decide(one.query))));
    const failed = reports.filter((lines) => lines.length > 0).length;
    const summary = `${file}: ${cases.length - failed} of ${cases.length} as expected`;
    return { lines: [summary, ...reports.flat()], failed, all: cases.length };
  } catch (error) {
    const lines = error instanceof Error ? error.message.split('\n') : ['failed'];
    return { lines, failed: 0, all: 0, broken: true };
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

/** Returns two lines for each part that is not as expected, as a diff has them. The order of names means nothing. */
function differences(expected: Expectation, verdict: Verdict): string[] {
  const decided: Partial<Record<string, unknown>> = { ...verdict, approvals: verdict.needs?.map(({ group }) => group) };
  return Object.entries(expected).flatMap(([name, wanted]) => {
    const found = decided[name] as typeof wanted;
    if (isDeepStrictEqual(listed(wanted), listed(found))) return [];
    return [`- ${name}: ${shown(wanted)}`, `+ ${name}: ${shown(found)}`];
  });
}

type Part = string | number | string[] | undefined;

function listed(part: Part): string[] {
  if (part === undefined) return [];
  return Array.isArray(part) ? [...new Set(part)].sort() : [String(part)];
}

const shown = (part: Part): string => listed(part).join(', ') || 'none';

/** Returns nothing where all is as expected. */
function report(file: string, { name, line, expect }: Case, verdict: Verdict): string[] {
  const differing = differences(expect, verdict);
  if (differing.length === 0) return [];
  return [`${file}:${line}: ${name}`, ...[...differing, `  by ${decidedBy(verdict)}`].map((text) => `    ${text}`)];
}

function decidedBy({ policies, because }: Verdict): string {
  if (policies.length > 0) return policies.join(', ');
  return because?.why === 'other-purpose'
    ? `no permit; for another purpose ${because.policies.join(', ')} would apply`
    : 'no permit: none applies';
}
