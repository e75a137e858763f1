/** What Cedar will be asked about a query, and how often: known before anything is evaluated. */
import { sha256 } from '../../domain/digest.js';
import { HARD_LIMITS } from '../../domain/limits.js';
import type { PolicyQuery } from '../query.js';
import type { Context, EntityJson } from './cedar-wasm.js';
import { contextOf, termsOf } from './context.js';
import {
  givenEntities,
  isLists,
  partyEntities,
  partyUid,
  plain,
  subjectsOf,
  type KnownTarget,
  type Subject,
} from './entities.js';
import type { PolicySet } from './load-policies.js';
import { mentionedContext, mentionedEntities, type Mentions } from './mentions.js';
import { roundsAtMost, type Terms } from './ways-out.js';

/** The policy set in force, as far as a plan depends on it. */
export interface Plannable {
  set: PolicySet;
  targets: ReadonlyMap<string, KnownTarget>;
  /** The groups that policies name. */
  groups: ReadonlySet<string>;
  mentions: Mentions;
  /** Names a second set: the permits as they read for any purpose. Absent if no permit is about the purpose. */
  anyPurpose?: string | undefined;
}

export interface Plan {
  /** SHA-256 of all that Cedar is asked: queries with the same key have the same verdict. */
  key: string;
  /** What is asked about, each once: a pattern has several. Never empty. */
  subjects: readonly Subject[];
  /** How many there were before equal ones became one: the work of planning. */
  parts: number;
  /** The most evaluations that the verdict can take. */
  evaluations: number;
  /** Returns the context under other terms than those that are asked for. */
  contextUnder(terms: Terms): Context;
  /** The entities besides the resource: the action with its groups, and the parties. */
  around: readonly EntityJson[];
}

/** Returns `unknown` for a query that the schema does not describe, and `too-many` for a pattern with too many parts. Both are refused. */
export function planOf(
  { set, targets, groups, mentions, anyPurpose }: Plannable,
  query: PolicyQuery,
): Plan | 'unknown' | 'too-many' {
  const action = set.schema.actions.get(query.action);
  const found = subjectsOf(query.resource, targets);
  if (found === 'too-many') return found;
  const [first] = found ?? [];
  const known = action?.principals.has(partyUid(query.principal).type) && first && action.resources.has(first.uid.type);
  const terms = termsOf(query);
  const context = contextOf(query, terms);
  const fits = action?.grantable === (query.context.kind === 'access');
  // Refuse what the schema does not describe: a permit without conditions must not reach further than its author could know.
  if (!known || !fits || !found || !context) return 'unknown';
  const contextUnder = (others: Terms) => mentionedContext(contextOf(query, others) ?? context, mentions);
  const subjects = distinct(
    found.map(({ uid, entities }) => ({ uid, entities: mentionedEntities(entities, mentions) })),
  );
  const given = mentions.words.has('given') ? givenEntities(query) : [];
  const facts = [...partyEntities(query, groups), ...given].filter(
    (one) => mentions.words.has('lists') || !isLists(one),
  );
  const around = mentionedEntities([...action.entities, ...facts], mentions);
  const line = new Set(action.entities.map(({ uid }) => plain(uid).id));
  const rules = set.policies.filter(({ actions }) => actions?.some((one) => line.has(one)) ?? true);
  const rounds = roundsAtMost(
    rules.map(({ rule }) => rule),
    terms,
  );
  // A refusal takes one more, to find whether another purpose would do.
  const evaluations = subjects.length * rounds + (anyPurpose === undefined ? 0 : 1);
  // The terms are in the key, for a way out may change them even where no policy mentions them.
  const key = sha256(
    JSON.stringify([partyUid(query.principal), query.action, terms, contextUnder(terms), around, subjects]),
  );
  return { key, subjects, parts: found.length, evaluations, contextUnder, around };
}

const distinct = (subjects: readonly Subject[]): Subject[] => [
  ...new Map(subjects.map((subject) => [JSON.stringify(subject), subject])).values(),
];

/**
 * Returns the most evaluations that all verdicts together can take; equal queries take them once. Undefined: they are more
 * than one request may need. It stops there, so a request that asks for too much costs little.
 */
export function evaluationsOf(plans: Iterable<ReturnType<typeof planOf>>): number | undefined {
  const counted = new Set<string>();
  let [evaluations, parts] = [0, 0];
  for (const plan of plans) {
    if (plan === 'unknown') continue; // It is refused without an evaluation.
    if (plan === 'too-many') return undefined;
    parts += plan.parts;
    if (!counted.has(plan.key)) evaluations += plan.evaluations;
    counted.add(plan.key);
    if (Math.max(evaluations, parts) > HARD_LIMITS.policyEvaluations) return undefined;
  }
  return evaluations;
}
