/** Selectors name what a revocation hits. A cause is a selector as a short hash of fixed size, which records and tokens carry. */
import { sha256 } from './digest.js';
import { isId } from './id.js';
import { NAME_CHARACTERS_MAX, nameProblem } from './name.js';

/** `drill` is of shadow credentials (`mayfly drill`): nothing that the broker issues hangs on one. */
export const SELECTOR_KINDS = [
  'credential',
  'task',
  'workload',
  'subject',
  'run',
  'principal',
  'session',
  'issuer',
  'owner',
  'target',
  'drill',
  'all',
] as const;
export type SelectorKind = (typeof SELECTOR_KINDS)[number];

export interface Selector {
  kind: SelectorKind;
  /** Empty for `all`, and for no other kind. */
  value: string;
}

/** 16 characters: base64url of the first 96 bits of SHA-256(`kind:value`). */
export type Cause = string;

const CAUSE_CHARACTERS = 16;

/**
 * One exchange asks for the same few causes about forty times. The number is bounded, and so is the length of a value.
 * Plain Maps, emptied when full: verifiers use this file too, and it needs no library for that. One for each kind, so that what is
 * known is found without a text made of both.
 */
const CAUSES_KEPT = 10_000;
const causes = new Map<SelectorKind, Map<string, Cause>>(SELECTOR_KINDS.map((kind) => [kind, new Map()]));
let kept = 0;

export function cause(kind: SelectorKind, value: string): Cause {
  const known = causes.get(kind)?.get(value);
  return known ?? keep(kind, value, sha256(`${kind}:${value}`).slice(0, CAUSE_CHARACTERS));
}

function keep(kind: SelectorKind, value: string, found: Cause): Cause {
  if (kept >= CAUSES_KEPT) {
    for (const ofKind of causes.values()) ofKind.clear();
    kept = 0;
  }
  causes.get(kind)?.set(value, found);
  kept += 1;
  return found;
}

export const causeOf = ({ kind, value }: Selector): Cause => cause(kind, value);

/** Returns the causes in the order of the selectors, each once. */
export const causesOf = (selectors: readonly Selector[]): Cause[] => [...new Set(selectors.map(causeOf))];

/** Returns the selectors without repetitions, in the same order. */
export const distinct = (selectors: readonly Selector[]): Selector[] => [
  ...new Map(selectors.map((selector) => [`${selector.kind}:${selector.value}`, selector])).values(),
];

/** Returns a selector as text: `workload lab:agent-7`, or just `all`. */
export const formatSelector = ({ kind, value }: Selector, separator = ' '): string =>
  kind === 'all' ? kind : `${kind}${separator}${value}`;

/** The selector that everything hangs on. */
export const EVERYTHING: Selector = { kind: 'all', value: '' };
export const ALL: Cause = causeOf(EVERYTHING);

export const EFFECTS = ['end', 'cutoff', 'hold'] as const;
export type Effect = (typeof EFFECTS)[number];

/**
 * Returns the effect of a revocation that names none. Wide selectors are held: a thief who has the identity token too could
 * otherwise mint again.
 */
export const defaultEffect = (kind: SelectorKind): Effect => (isTerminal(kind) ? 'end' : 'hold');

/**
 * Returns whether an effect makes sense: `end` for what never comes back, `cutoff` and `hold` for what does. A task can be
 * held too, a credential and a drill cannot.
 */
export function effectFits(kind: SelectorKind, effect: Effect): boolean {
  switch (effect) {
    case 'end':
      return isTerminal(kind);
    case 'cutoff':
      return !isTerminal(kind);
    case 'hold':
      return kind !== 'credential' && kind !== 'drill';
    default:
      return false;
  }
}

/** A target, or a target and a workload (`sessionsOf` in hangs-on.ts). */
export const SELECTOR_CHARACTERS_MAX = 2 * NAME_CHARACTERS_MAX + 1;

export const isWellFormed = (selector: Selector): boolean => valueProblem(selector) === undefined;

/** Returns what is wrong with the value of a selector, as the end of a sentence ("The value …"), or undefined if nothing is. */
export function valueProblem({ kind, value }: Selector): string | undefined {
  switch (kind) {
    case 'all':
      return value === '' ? undefined : 'must be empty';
    case 'credential':
      return isId('crd', value) ? undefined : 'is not the id of a credential';
    case 'task':
      return isId('tsk', value) ? undefined : 'is not the id of a task';
    case 'drill':
      return isId('drl', value) ? undefined : 'is not the id of a drill';
    case 'target':
      return nameProblem(value, SELECTOR_CHARACTERS_MAX);
    default:
      return nameProblem(value);
  }
}

const isTerminal = (kind: SelectorKind): boolean =>
  kind === 'credential' || kind === 'task' || kind === 'run' || kind === 'drill';
