/**
 * Ways out of a forbid. A forbid with @lifetime or @approval is not the last word: the same is asked again with the shorter
 * lifetime, or as if the group had approved. Whatever is granted was itself asked exactly so and permitted.
 */
import { defined } from '../../domain/defined.js';
import type { Rule } from './policy-file.js';
import type { Verdict } from '../policy-engine.js';

/** What the engine said of one resource. */
export interface Answer {
  allowed: boolean;
  /** An evaluation failed: a forbid may have been skipped, so this is a refusal whatever else it says. */
  failed: boolean;
  /** Those that decided it. */
  policies: readonly string[];
}

export interface Terms {
  /** Absent where the question has no lifetime; then @lifetime is no way out. */
  lifetimeSeconds?: number | undefined;
  /** Absent where approvals have no meaning. */
  approvals?: readonly string[] | undefined;
}

/** Asks for every resource of the question, one after the other. */
export type Ask = (terms: Terms) => Iterable<Answer>;

/** Each further ask shortens or adds; more than a few are the sign of policies that contradict each other. */
const ASKS_MAX = 8;

export function settle(ask: Ask, rules: ReadonlyMap<string, Rule>, asked: Terms): Omit<Verdict, 'digest'> {
  let terms = asked;
  const passed: string[] = [];
  for (let asks = 0; asks < ASKS_MAX; asks += 1) {
    const round = hear(ask(terms), rules, terms);
    if (round.refusedBy) return { outcome: 'deny', policies: sorted(round.refusedBy) };
    const next = round.forbids.length > 0 ? takeWaysOut(round.forbids, terms) : withinPermits(round, terms);
    if (next === undefined) return granted(terms, asked, sorted([...passed, ...round.permits]));
    passed.push(...round.forbids.filter((forbid) => !hasWayOut(forbid, next)).map(({ id }) => id));
    terms = next;
  }
  return { outcome: 'deny', policies: sorted(passed) };
}

interface Round {
  refusedBy?: readonly string[];
  permits: string[];
  /** The most that the permits allow. */
  permittedSeconds: number;
  /** Each with a way out not yet taken. */
  forbids: NamedRule[];
}

type NamedRule = Rule & { id: string };

/** Ends at the first refusal without a way out: what is refused anyway should cost little. */
function hear(answers: Iterable<Answer>, rules: ReadonlyMap<string, Rule>, terms: Terms): Round {
  const round: Round = { permits: [], permittedSeconds: Infinity, forbids: [] };
  for (const { allowed, failed, policies } of answers) {
    const deciding = policies.map((id) => named(id, rules));
    const final = !allowed && !deciding.every((rule) => hasWayOut(rule, terms));
    if (failed || final || policies.length === 0) return { ...round, refusedBy: policies };
    if (allowed) {
      // Any one of the permits is enough, so the most generous counts; every resource must be permitted, so the least of these.
      const most = Math.max(...deciding.map((rule) => rule.lifetimeSeconds ?? Infinity));
      round.permittedSeconds = Math.min(round.permittedSeconds, most);
      round.permits.push(...policies);
    } else {
      round.forbids.push(...deciding);
    }
  }
  return round;
}

/** What nobody has described is a forbid without a way out. */
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

/** Shortening costs nobody anything, so it is tried before people are asked. */
function takeWaysOut(forbids: readonly Rule[], terms: Terms): Terms {
  const lifetimeSeconds = Math.min(...forbids.map((rule) => rule.lifetimeSeconds ?? Infinity));
  if (lifetimeSeconds < Infinity) return { ...terms, lifetimeSeconds };
  const groups = forbids.flatMap(({ approval }) => (approval === undefined ? [] : [approval]));
  return { ...terms, approvals: [...new Set([...(terms.approvals ?? []), ...groups])] };
}

/** Undefined when the permits allow what was asked. */
function withinPermits({ permittedSeconds }: Round, terms: Terms): Terms | undefined {
  const shorter = terms.lifetimeSeconds !== undefined && permittedSeconds < terms.lifetimeSeconds;
  return shorter ? { ...terms, lifetimeSeconds: permittedSeconds } : undefined;
}

function granted(terms: Terms, asked: Terms, policies: string[]): Omit<Verdict, 'digest'> {
  const approvals = (terms.approvals ?? []).filter((group) => !asked.approvals?.includes(group));
  if (approvals.length > 0) return { outcome: 'needs-approval', approvals: sorted(approvals), policies };
  return defined({ outcome: 'permit', lifetimeSeconds: terms.lifetimeSeconds, policies });
}

const sorted = (texts: readonly string[]): string[] => [...new Set(texts)].sort();
