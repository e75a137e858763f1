/** A decision of the audit log, asked again: what an entry has of it, and what policies say to that now. */
import type { AuditEntry } from '../../audit/event.js';
import { pairsOf } from '../../domain/access.js';
import { decisionSchema, type DecisionRecord, type Facts } from '../../domain/decision.js';
import { defined } from '../../domain/defined.js';
import { withoutTokens } from '../../domain/token-in-text.js';
import { queriesOf, type Pair } from '../../policy/facts.js';
import { joinVerdicts } from '../../policy/join-verdicts.js';
import type { PolicyEngine, Verdict } from '../../policy/policy-engine.js';
import type { PolicyQuery } from '../../policy/query.js';

/** Why a decision cannot be asked again. Nothing is guessed: such a decision is counted and named. */
export const WHY_NOT = {
  'no-facts': 'was entered by an older broker, which kept no facts',
  'too-long': 'had more facts than the audit log keeps',
  'may-hold-a-secret': 'had facts that may hold a secret, so they were not kept',
  unreadable: 'was entered by a newer broker than this command',
  'no-target': 'is about a target that the configuration does not have',
  'some-unknown': 'asked for more than the audit log keeps, and what it keeps is not refused now',
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
export interface Answer extends Pick<Verdict, 'outcome' | 'policies' | 'lifetimeSeconds' | 'needs'> {
  /** The query that decided: one that is not permitted, or that may live for the shortest. */
  query: PolicyQuery;
}

/** Policies that are asked again. */
export interface Others {
  engine: Pick<PolicyEngine, 'decide'>;
  targets: ReadonlySet<string>;
  /** Whether a policy of the set looks at what an API says of a use. */
  hearsGiven: boolean;
}

export async function answerOf(policies: Others, { record, queries, isPart }: Recorded): Promise<Answer | WhyNot> {
  if (queries.some(({ resource }) => 'target' in resource && !policies.targets.has(resource.target)))
    return 'no-target';
  if (record.facts?.access?.given && policies.hearsGiven) return 'given';
  const verdicts: Asked[] = [];
  for (const query of queries) {
    const verdict = await policies.engine.decide(query);
    verdicts.push({ query, verdict });
    if (verdict.outcome === 'deny') break;
  }
  const answer = together(verdicts);
  if (!answer) return 'some-unknown';
  return isPart && answer.outcome !== 'deny' ? 'some-unknown' : answer;
}

interface Asked {
  query: PolicyQuery;
  verdict: Verdict;
}

function together(asked: readonly Asked[]): Answer | undefined {
  const { outcome, policies, needs } = joinVerdicts(asked.map(({ verdict }) => verdict));
  const last = asked.at(-1);
  if (outcome === 'deny') return last && { query: last.query, outcome, policies: last.verdict.policies };
  // How long a task may take that was opened with it is another matter.
  const accesses = asked.filter(({ query }) => query.context.kind === 'access');
  const parts = accesses.length > 0 ? accesses : asked;
  const { lifetimeSeconds } = joinVerdicts(parts.map(({ verdict }) => verdict));
  const deciding = parts.find(({ verdict }) =>
    outcome === 'permit' ? verdict.lifetimeSeconds === lifetimeSeconds : verdict.outcome === outcome,
  );
  return deciding && defined({ query: deciding.query, outcome, policies, needs, lifetimeSeconds });
}
