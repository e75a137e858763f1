/** A decision of the audit log, asked again: what an entry has of it, and what policies say to that now. */
import type { AuditEntry } from '../../audit/event.js';
import { pairsOf } from '../../domain/access.js';
import { decisionSchema, type DecisionRecord, type Facts } from '../../domain/decision.js';
import { defined } from '../../domain/defined.js';
import { withoutTokens } from '../../domain/token-in-text.js';
import { queriesOf, type Pair } from '../../policy/facts.js';
import type { PolicyEngine, Verdict } from '../../policy/policy-engine.js';
import type { PolicyQuery } from '../../policy/query.js';

/** Why a decision cannot be asked again. Nothing is guessed: such a decision is counted and named. */
export const WHY_NOT = {
  'no-facts': 'was entered by an older broker, which kept no facts',
  'too-long': 'had more facts than the audit log keeps',
  'may-hold-a-secret': 'had facts that may hold a secret, so they were not kept',
  unreadable: 'was entered by a newer broker than this command',
  'no-target': 'is about a target that the configuration does not have',
  'some-unknown': 'asked for more than the audit log keeps, and what it keeps is permitted now',
  given: 'heard what an API said of a use, which is not kept, and these policies look at it',
} as const;

export type WhyNot = keyof typeof WHY_NOT;

export interface Recorded {
  record: DecisionRecord;
  queries: PolicyQuery[];
  /** Not all that was asked for is known. */
  isPart: boolean;
}

/** Returns what was decided, and what was asked; undefined where the entry has no decision. */
export function recordedIn(entry: AuditEntry): Recorded | WhyNot | undefined {
  if (entry.decision === undefined) return undefined;
  const { data: record } = decisionSchema.safeParse(entry.decision);
  if (!record) return 'unreadable';
  const { facts, unkept } = record;
  if (!facts) return unkept ?? 'no-facts';
  const pairs = facts.access ? pairsIn(entry, facts.access) : [];
  const isPart = facts.access !== undefined && (entry.access === undefined || entry.accessOmitted !== undefined);
  const isRedacted = pairs.some(({ path }) => withoutTokens(path) !== path || path.includes('[token removed]'));
  return isRedacted ? 'may-hold-a-secret' : { record, queries: queriesOf(facts, pairs), isPart };
}

function pairsIn({ target = '', access = [] }: AuditEntry, { refused }: NonNullable<Facts['access']>): Pair[] {
  const asked = pairsOf(access);
  const isAmong = asked.some(({ path, action }) => path === refused?.path && action === refused.action);
  return [...asked, ...(refused && !isAmong ? [refused] : [])].map((pair) => ({ target, ...pair }));
}

/** What policies say to all queries of a decision together. */
export interface Answer extends Pick<Verdict, 'outcome' | 'policies' | 'lifetimeSeconds' | 'approvals'> {
  /** The query that decided: one that is not permitted, or that may live for the shortest. */
  query: PolicyQuery;
}

/** Policies that are asked again. */
export interface Asked {
  engine: Pick<PolicyEngine, 'decide'>;
  targets: ReadonlySet<string>;
  /** Whether a policy of the set looks at what an API says of a use. */
  hearsGiven: boolean;
}

export async function answerOf(asked: Asked, { record, queries, isPart }: Recorded): Promise<Answer | WhyNot> {
  if (queries.some(({ resource }) => 'target' in resource && !asked.targets.has(resource.target))) return 'no-target';
  if (record.facts?.access?.given && asked.hearsGiven) return 'given';
  const verdicts: { query: PolicyQuery; verdict: Verdict }[] = [];
  for (const query of queries) verdicts.push({ query, verdict: await asked.engine.decide(query) });
  const answer = together(verdicts);
  if (!answer) return 'some-unknown';
  return isPart && answer.outcome === 'permit' ? 'some-unknown' : answer;
}

/** One denial denies all; else what needs approvals waits for all of them; else the shortest lifetime of an access counts. */
function together(verdicts: readonly { query: PolicyQuery; verdict: Verdict }[]): Answer | undefined {
  const denied = verdicts.find(({ verdict }) => verdict.outcome === 'deny');
  if (denied) return answer(denied);
  const waiting = verdicts.filter(({ verdict }) => verdict.outcome === 'needs-approval');
  if (waiting[0]) {
    const approvals = [...new Set(waiting.flatMap(({ verdict }) => verdict.approvals ?? []))].sort();
    const policies = [...new Set(verdicts.flatMap(({ verdict }) => verdict.policies))];
    return { ...answer(waiting[0]), approvals, policies };
  }
  const asked = verdicts.filter(({ query }) => query.context.kind === 'access');
  const [first] = [...(asked.length > 0 ? asked : verdicts)].sort((a, b) => secondsOf(a) - secondsOf(b));
  return first && { ...answer(first), policies: [...new Set(verdicts.flatMap(({ verdict }) => verdict.policies))] };
}

const secondsOf = ({ verdict }: { verdict: Verdict }): number => verdict.lifetimeSeconds ?? Infinity;

const answer = ({ query, verdict }: { query: PolicyQuery; verdict: Verdict }): Answer => {
  const { outcome, policies, lifetimeSeconds, approvals } = verdict;
  return defined({ query, outcome, policies, lifetimeSeconds, approvals });
};
