/** What Cedar will be asked about a query, and how often: known before anything is evaluated. */
import { LRUCache } from 'lru-cache';
import { sha256 } from '../../domain/digest.js';
import { HARD_LIMITS } from '../../domain/limits.js';
import type { PolicyQuery } from '../query.js';
import type { Context, EntityJson, TypeAndId } from './cedar-wasm.js';
import { contextOf, termsOf } from './context.js';
import {
  givenEntities,
  isLists,
  partyEntities,
  partyKey,
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
  /** The parties that policies name, as `partyKey` writes them. */
  parties: ReadonlySet<string>;
  mentions: Mentions;
  /** A permit is about the purpose: so a refusal is asked about for any other, too. */
  hasOtherPurposes: boolean;
}

/** One resource of a query, as Cedar is told of it: with what policies mention. */
interface PlannedSubject {
  /** SHA-256 of it: subjects with the same key are one to every policy. */
  key: string;
  uid: TypeAndId;
  entities: readonly EntityJson[];
}

/** What Cedar is asked about each subject of a query: all but the subject. Shared between queries. */
interface Question {
  /** SHA-256 of all of it. */
  key: string;
  /** Returns the context under other terms than those that are asked for. */
  contextUnder: (terms: Terms) => Context;
  /** The entities besides the resource: the action with its groups, and the parties. */
  around: readonly EntityJson[];
  /** The most evaluations that a verdict on one subject can take. */
  rounds: number;
  /** The types of resource that the schema knows the action for. */
  resources: ReadonlySet<string>;
}

export interface Plan extends Pick<Question, 'contextUnder' | 'around'> {
  /** Stands for all that Cedar is asked: queries with the same key have the same verdict. */
  key: string;
  /** What is asked about, each once: a pattern has several. Never empty. */
  subjects: readonly PlannedSubject[];
  /** How many there were before equal ones became one: the work of planning. */
  parts: number;
  /** The most evaluations that the verdict can take. */
  evaluations: number;
}

/** `unknown`: the schema does not describe the query. `too-many`: its pattern has too many parts. Both are refused. */
export type Planned = Plan | 'unknown' | 'too-many';

/**
 * Returns the function that plans queries to a policy set. The same workload asks about one path after the other, and to policies
 * most paths are alike. So what is asked, and about what, are each made once.
 * @param most How many of each are remembered; 0: none.
 */
export function planner(plannable: Plannable, most: number): (query: PolicyQuery) => Planned {
  const questions = remembered<Question | 'unknown'>(most);
  const subjectsKnown = remembered<PlannedSubject>(most);
  return (query) => {
    const found = subjectsOf(query.resource, plannable.targets);
    if (found === 'too-many') return found;
    const text = textOf(query, plannable.mentions);
    const question = questions(text, () => questionOf(plannable, query));
    // Refuse what the schema does not describe: a permit without conditions must not reach further than its author could know.
    if (!found || question === 'unknown') return 'unknown';
    const subjects = distinct(found.map((one) => subjectsKnown(text && one.text, () => planned(plannable, one))));
    if (!subjects[0] || !question.resources.has(subjects[0].uid.type)) return 'unknown';
    const { contextUnder, around, rounds } = question;
    const keys = [question.key, ...subjects.map(({ key }) => key)].join(' ');
    return {
      key: subjects.length > 1 ? sha256(keys) : keys,
      contextUnder,
      around,
      subjects,
      parts: found.length,
      // A refusal takes one more, to find whether another purpose would do.
      evaluations: subjects.length * rounds + (plannable.hasOtherPurposes ? 1 : 0),
    };
  };
}

/**
 * Returns all of a query that a question depends on, as text. Undefined: hardly anybody asks the same again, and to remember it
 * would take the place of what is asked all the time.
 */
function textOf(query: PolicyQuery, { words, wholeContext }: Mentions): string | undefined {
  const { resource, context } = query;
  // Entities of parties come from the resource only where it is a task or an approval. The one has no id before it is opened, and
  // people answer the other once.
  if (resource.type === 'approval') return undefined;
  if (resource.type === 'task') return resource.task.id === undefined ? JSON.stringify(query) : undefined;
  const hears = words.has('given') || wholeContext;
  if (context.kind === 'access' && context.given && hears) return undefined;
  return JSON.stringify({ ...query, resource: undefined, context: { ...context, given: undefined } });
}

function questionOf({ set, groups, parties, mentions }: Plannable, query: PolicyQuery): Question | 'unknown' {
  const action = set.schema.actions.get(query.action);
  const terms = termsOf(query);
  const context = contextOf(query, terms);
  const fits = action?.grantable === (query.context.kind === 'access');
  if (!action?.principals.has(partyUid(query.principal).type) || !fits || !context) return 'unknown';
  const contextUnder = (others: Terms) => mentionedContext(contextOf(query, others) ?? context, mentions);
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
  // The terms are in the key, for a way out may change them even where no policy mentions them.
  // Of a path nothing names a party. A task names some, and has a key of its own as the resource.
  const naming = query.resource.type === 'resource' ? inOrder(parties) : undefined;
  const asked = [partyUid(query.principal), query.action, terms, contextUnder(terms), around];
  const key = sha256(JSON.stringify(asked, naming));
  return { key, contextUnder, around, rounds, resources: action.resources };
}

/**
 * Returns a replacer for JSON that names parties by the order in which they come, except those that a policy names. Cedar compares
 * ids and does nothing else with them. So what is said of a party counts, and which of them are the same one, and not what they are
 * called: a thousand persons of whom the same is known are one question.
 */
function inOrder(named: ReadonlySet<string>): (_: string, value: unknown) => unknown {
  const places = new Map<string, string>();
  return (_, value) => {
    const key = isUid(value) ? partyKey(value) : undefined;
    if (key === undefined || !isUid(value) || named.has(key)) return value;
    const place = places.get(key) ?? `#${places.size}`;
    places.set(key, place);
    return { type: value.type, id: place };
  };
}

const isUid = (value: unknown): value is TypeAndId =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  'id' in value &&
  typeof value.type === 'string' &&
  typeof value.id === 'string';

function planned({ mentions }: Plannable, { tell }: Subject): PlannedSubject {
  const { uid, entities: all } = tell();
  const entities = mentionedEntities(all, mentions);
  return { key: sha256(JSON.stringify([uid, entities])), uid, entities };
}

const distinct = (subjects: readonly PlannedSubject[]): PlannedSubject[] => [
  ...new Map(subjects.map((subject) => [subject.key, subject])).values(),
];

function remembered<V extends object | string>(most: number): (key: string | undefined, make: () => V) => V {
  if (most === 0) return (_, make) => make();
  const known = new LRUCache<string, V>({ max: most });
  return (key, make) => {
    if (key === undefined) return make();
    const found = known.get(key) ?? make();
    known.set(key, found);
    return found;
  };
}

/**
 * Returns the most evaluations that all verdicts together can take; equal queries take them once. Undefined: they are more
 * than one request may need. It stops there, so a request that asks for too much costs little.
 */
export function evaluationsOf(plans: Iterable<Planned>): number | undefined {
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
