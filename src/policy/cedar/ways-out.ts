/**
 * Ways out of a forbid. A forbid with @lifetime or @approval is not final: the same query is evaluated again with the shorter
 * lifetime, or as if the group had approved. So every grant was itself evaluated with exactly its terms, and permitted.
 */
import { uniteNeeds, type NeededApproval } from '../../domain/approval.js';
import { defined } from '../../domain/defined.js';
import type { Because, Verdict } from '../policy-engine.js';
import type { Rule } from './policy-file.js';

/** The answer of the engine about one resource. */
export interface Answer {
  allowed: boolean;
  /** A policy could not be evaluated. It may have been a forbid, so this is a refusal whatever `allowed` says. */
  failed: boolean;
  /** Ids of the policies that decided. */
  policies: readonly string[];
}

/** The parts of a query that a way out can change. */
export interface Terms {
  /** Absent where the query has no lifetime; then @lifetime is no way out. */
  lifetimeSeconds?: number | undefined;
  /** Absent where approvals have no meaning. */
  approvals?: readonly string[] | undefined;
}

/** Evaluates the query under these terms, for one resource after the other. */
export type Ask = (terms: Terms) => AsyncIterable<Answer> | Iterable<Answer>;

/**
 * Each further round shortens the lifetime or adds an approval. More than a few rounds mean policies that contradict each
 * other.
 */
const ROUNDS_MAX = 8;

/**
 * Returns the most rounds that these rules can take: the first, and one for each lifetime that they may shorten to and each
 * group that they may ask.
 */
export function roundsAtMost(rules: Iterable<Rule>, { lifetimeSeconds, approvals }: Terms): number {
  const ways = new Set<number | string>();
  for (const rule of rules) {
    if (rule.lifetimeSeconds !== undefined && rule.lifetimeSeconds < (lifetimeSeconds ?? 0))
      ways.add(rule.lifetimeSeconds);
    if (rule.approval !== undefined && approvals && !approvals.includes(rule.approval)) ways.add(rule.approval);
  }
  return Math.min(ROUNDS_MAX, 1 + ways.size);
}

/** A verdict by the policies alone, before it is decided what the caller may know of it. */
export interface Settled extends Pick<Verdict, 'outcome' | 'lifetimeSeconds' | 'needs' | 'wantedBy' | 'policies'> {
  /** With `deny`. */
  why?: Because['why'];
}

export async function settle(ask: Ask, rules: ReadonlyMap<string, Rule>, asked: Terms): Promise<Settled> {
  let terms = asked;
  const passed: NamedRule[] = [];
  for (let rounds = 0; rounds < ROUNDS_MAX; rounds += 1) {
    const round = await collect(ask(terms), rules, terms);
    if (round.refused) return { outcome: 'deny', why: round.refused, policies: sorted(round.policies) };
    const next = round.forbids.length > 0 ? takeWaysOut(round.forbids, terms) : withinPermits(round, terms);
    if (next === undefined) return granted(terms, passed, round.permits);
    passed.push(...round.forbids.filter((forbid) => !hasWayOut(forbid, next)));
    terms = next;
  }
  return { outcome: 'deny', why: 'forbidden', policies: idsOf(passed) };
}

interface Round {
  refused?: NonNullable<Settled['why']>;
  /** Those that refused. */
  policies: readonly string[];
  permits: string[];
  /** The longest lifetime that the permits allow. */
  permittedSeconds: number;
  /** The forbids that apply; each has a way out that is not taken yet. */
  forbids: NamedRule[];
}

type NamedRule = Rule & { id: string };

/** Collects the answers of one round. It stops at the first refusal without a way out, so that a refusal is cheap. */
async function collect(answers: ReturnType<Ask>, rules: ReadonlyMap<string, Rule>, terms: Terms): Promise<Round> {
  const round: Round = { policies: [], permits: [], permittedSeconds: Infinity, forbids: [] };
  for await (const { allowed, failed, policies } of answers) {
    const deciding = policies.map((id) => named(id, rules));
    const final = !allowed && !deciding.every((rule) => hasWayOut(rule, terms));
    if (failed) return { ...round, refused: 'failed', policies };
    if (policies.length === 0) return { ...round, refused: 'no-permit' };
    if (final) return { ...round, refused: 'forbidden', policies };
    if (allowed) {
      // One permit is enough for a resource, so its most generous permit counts. All resources must be permitted, so the least of
      // these maxima counts.
      const most = Math.max(...deciding.map((rule) => rule.lifetimeSeconds ?? Infinity));
      round.permittedSeconds = Math.min(round.permittedSeconds, most);
      round.permits.push(...policies);
    } else {
      round.forbids.push(...deciding);
    }
  }
  return round;
}

/** Returns the rule with this id. An unknown id counts as a forbid without a way out. */
const named = (id: string, rules: ReadonlyMap<string, Rule>): NamedRule => ({
  ...(rules.get(id) ?? { effect: 'forbid' }),
  id,
});

function hasWayOut(rule: Rule, { lifetimeSeconds, approvals }: Terms): boolean {
  if (rule.lifetimeSeconds !== undefined)
    return lifetimeSeconds !== undefined && rule.lifetimeSeconds < lifetimeSeconds;
  if (rule.approval !== undefined) return approvals !== undefined && !approvals.includes(rule.approval);
  return false;
}

/** Returns the terms of the next round. A shorter lifetime is tried first, because it needs no person to approve. */
function takeWaysOut(forbids: readonly Rule[], terms: Terms): Terms {
  const lifetimeSeconds = Math.min(...forbids.map((rule) => rule.lifetimeSeconds ?? Infinity));
  if (lifetimeSeconds < Infinity) return { ...terms, lifetimeSeconds };
  const groups = forbids.flatMap(({ approval }) => (approval === undefined ? [] : [approval]));
  return { ...terms, approvals: [...new Set([...(terms.approvals ?? []), ...groups])] };
}

/** Returns the terms shortened to what the permits allow; undefined when they allow the terms as they are. */
function withinPermits({ permittedSeconds }: Round, terms: Terms): Terms | undefined {
  const shorter = terms.lifetimeSeconds !== undefined && permittedSeconds < terms.lifetimeSeconds;
  return shorter ? { ...terms, lifetimeSeconds: permittedSeconds } : undefined;
}

function granted({ lifetimeSeconds }: Terms, passed: readonly NamedRule[], permits: readonly string[]): Settled {
  const policies = sorted([...idsOf(passed), ...permits]);
  const wanting = passed.filter(({ approval }) => approval !== undefined);
  if (wanting.length === 0) return defined({ outcome: 'permit', lifetimeSeconds, policies });
  const needs = uniteNeeds(wanting.flatMap(neededBy));
  return defined({ outcome: 'needs-approval', lifetimeSeconds, needs, wantedBy: idsOf(wanting), policies });
}

const neededBy = ({ approval: group, approvers = 1, reuse }: Rule): NeededApproval[] =>
  group === undefined ? [] : [defined({ group, approvers, reuse })];

const idsOf = (rules: readonly NamedRule[]): string[] => sorted(rules.map(({ id }) => id));

const sorted = (texts: readonly string[]): string[] => [...new Set(texts)].sort();
