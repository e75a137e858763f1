/** `mayfly policy diff`: asks other policies what the audit log says was asked, and shows what they would have answered otherwise. */
import type { Command } from 'commander';
import type { AuditEntry } from '../../audit/event.js';
import { defined } from '../../domain/defined.js';
import { masked } from '../../domain/text.js';
import { DAY_MS, toTimestamp } from '../../domain/time.js';
import { createCedarEngine } from '../../policy/cedar/cedar.js';
import { allMentions } from '../../policy/cedar/mentions.js';
import { CONFIG, Exit, type Terminal } from '../terminal.js';
import { auditEntries, withAudit, type AuditOptions } from './audit-source.js';
import { addUpChanges, type Change, type Changes } from './changes.js';
import { needsText } from './needs-text.js';
import { answerOf, recordedIn, WHY_NOT, type Others, type WhyNot } from './replay.js';
import { sinceOption } from './since.js';
import { policiesAt, type Policies } from './written-file.js';

interface Options extends AuditOptions {
  against: string;
  /** Milliseconds. */
  since: number;
  config?: string;
  workload?: string;
  json?: true;
}

const EXAMPLE = `
  mayfly policy diff --against next/ --since 7d -c mayfly.yaml

It ends with 0 where nothing changes, with 1 where something does, and with 2 where it could not be found out.
It needs readAudit. Of the verbs of the broker, the audit log has refusals, and the opening of tasks.`;

export function addDiff(policy: Command, terminal: Terminal): void {
  withAudit(policy.command('diff'))
    .description('replay the decisions of the audit log against other policies, and show what would have changed')
    .requiredOption('--against <directory>', 'the policies that are asked')
    .addOption(sinceOption(7 * DAY_MS, '7d'))
    .option('--workload <id>', 'only decisions about this workload, such as lab:agent-1')
    .option(...CONFIG)
    .option('--json', 'each change as one line of JSON, and a last one with what was counted')
    .addHelpText('after', EXAMPLE)
    .exitOverride(({ exitCode }) => {
      throw new Exit(exitCode === 0 ? 0 : CANNOT_TELL);
    })
    .action(async (options: Options) => {
      const replay = await replayed(options, terminal).catch((error: unknown) => {
        const lines = error instanceof Error ? error.message.split('\n') : ['failed'];
        for (const line of lines) terminal.err(masked(line));
        throw new Exit(CANNOT_TELL);
      });
      for (const line of options.json ? jsonOf(replay) : linesOf(replay)) terminal.out(line);
      if (replay.changed > 0) throw new Exit(1);
    });
}

/** Not the code for changes: a pipeline must not take a mistake for them. */
const CANNOT_TELL = 2;

interface Replay {
  changes: Changes;
  /** Decisions that were asked again, and how many of them have another answer. */
  replayed: number;
  changed: number;
  not: Map<WhyNot, { count: number; example: string }>;
}

async function replayed(options: Options, terminal: Terminal): Promise<Replay> {
  const policies = await policiesAt(defined({ config: options.config, policies: options.against }));
  const others = await othersOf(policies);
  const since = terminal.clock.reading() - options.since;
  const replay: Replay = { changes: addUpChanges(), replayed: 0, changed: 0, not: new Map() };
  const wanted = { from: toTimestamp(since), workload: options.workload };
  for await (const entry of auditEntries(options, terminal, wanted)) {
    if (entry.at < since || (options.workload !== undefined && entry.workload !== options.workload)) continue;
    const why = await replayEntry(entry, others, replay);
    if (why === undefined) continue;
    const before = replay.not.get(why) ?? { count: 0, example: entry.decision?.id ?? '' };
    replay.not.set(why, { ...before, count: before.count + 1 });
  }
  return replay;
}

/** Returns why the decision of the entry cannot be asked again; undefined where it was, and where there is none. */
async function replayEntry(entry: AuditEntry, others: Others, replay: Replay): Promise<WhyNot | undefined> {
  const recorded = recordedIn(entry);
  if (recorded === undefined || typeof recorded === 'string') return recorded;
  const answer = await answerOf(others, recorded);
  if (typeof answer === 'string') return answer;
  replay.replayed += 1;
  if (replay.changes.add(entry, recorded, answer)) replay.changed += 1;
  return undefined;
}

/** A question is often asked again and again: so verdicts are remembered, as many as a broker does. */
async function othersOf({ directory, configured, set }: Policies): Promise<Others> {
  const { words, wholeContext } = allMentions(set.policies.map(({ mentions }) => mentions));
  return {
    engine: await createCedarEngine({ directory, configured, maxCachedVerdicts: 5_000 }),
    targets: new Set(configured.targets.map(({ resource }) => resource)),
    hearsGiven: words.has('given') || wholeContext,
  };
}

function linesOf({ changes, replayed: asked, changed, not }: Replay): string[] {
  const beyond = changes.beyond();
  return [
    ...changes.groups().flatMap(describe),
    ...(beyond > 0 ? [`${beyond} more changes are in no line above: they are too many.`] : []),
    changed === 0
      ? `${asked} decisions were asked again; none would have been another.`
      : `${changed} of ${asked} decisions that were asked again would have been others.`,
    ...[...not].map(
      ([why, { count, example }]) => `${count} could not be asked again, as ${example}: it ${WHY_NOT[why]}.`,
    ),
  ].map(masked);
}

function describe({ who, action, resource, from, to, count, first, last, example }: Change): string[] {
  const times = count === 1 ? 'once' : `${count} times`;
  const when = first === last ? toTimestamp(first) : `${toTimestamp(first)} to ${toTimestamp(last)}`;
  return [
    `${who} ${action} ${resource}: ${shown(from)} → ${shown(to)}, ${times}`,
    `    ${when}, as ${example}; by ${namesOf(from)}, and now by ${namesOf(to)}`,
  ];
}

function shown({ outcome, lifetimeSeconds, needs = [] }: Change['from']): string {
  const answer = needs.length > 0 ? `${outcome} of ${needsText(needs)},` : outcome;
  return lifetimeSeconds === undefined ? answer.replace(/,$/, '') : `${answer} for ${lifetimeSeconds} s`;
}

const namesOf = ({ policies }: Change['from']): string => policies.join(', ') || 'no policy';

function jsonOf({ changes, replayed: asked, changed, not }: Replay): string[] {
  const lines = changes.groups().map(({ first, last, ...change }) => ({
    ...change,
    first: toTimestamp(first),
    last: toTimestamp(last),
  }));
  const notReplayed = Object.fromEntries(not);
  return [...lines, { replayed: asked, changed, beyond: changes.beyond(), notReplayed }].map((line) =>
    JSON.stringify(line),
  );
}
