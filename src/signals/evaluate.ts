/**
 * Decides what is done about a signal: the first reaction that fits it, what that reaction covers, and whether a gate stops
 * it.
 */
import type { Trust } from '../config/trust-schema.js';
import { DETECTOR_OF, type Reaction, type SignalsConfig } from '../config/signals-schema.js';
import { causeOf, effectFits, type Selector } from '../domain/selector.js';
import type { ReactionDone, Signal } from '../domain/signal.js';
import { countUpTo } from '../ledger/impact.js';
import type { Ledger } from '../ledger/ledger.js';
import { resolveReactionTarget } from './authority.js';
import { claimReaction, countSources, findExistingHold, takeAllowance, wasDone } from './safeguards.js';

/** What becomes of a signal. */
type Evaluation = Pick<Signal, 'state' | 'waitsUntil'> & { reaction?: ReactionDone };

export interface EvaluateDeps {
  ledger: Ledger;
  settings: { trust: readonly Trust[]; signals: SignalsConfig };
}

/** The reaction that fits a signal, and what it would do. */
interface Plan {
  signal: Signal;
  rule: Reaction;
  selector: Selector;
  reaction: ReactionDone;
  /** Returns how many open tasks the reaction would hit. They are counted once, when a gate first asks. */
  tasks(): Promise<number>;
}

/** Lets a reaction pass, or returns what the signal becomes instead. */
type Gate = (deps: EvaluateDeps, plan: Plan) => Promise<'pass' | Evaluation>;

/**
 * A reaction acts when it has passed all gates, in this order. The cheap ones come first. The claim comes after the sources are
 * counted, since a signal that waits claims nothing, and before the allowance, so that a reaction takes from it once.
 */
const GATES: readonly Gate[] = [observedOnly, heldAlready, doneAlready, tooFewSources, claimedByAnother, tooManyTasks];

export async function evaluateSignal(deps: EvaluateDeps, signal: Signal): Promise<Evaluation> {
  const rule = deps.settings.signals.reactions.find((one) => fits(one, signal));
  if (!rule) return { state: 'recorded' };
  const intended = reactionOf(rule);
  if (rule.do === 'record') return { state: 'recorded', reaction: intended };
  const selector = await resolveReactionTarget(deps, signal, rule.covers);
  if (!selector)
    return recorded(intended, 'The subject is not known here, or has no such thing as the reaction covers.');
  const reaction = { ...intended, selector };
  if (rule.do !== 'risk' && !effectFits(selector.kind, rule.do))
    return recorded(reaction, `"${rule.do}" does not fit a ${selector.kind}.`);

  let counted: Promise<number> | undefined;
  const plan = { signal, rule, selector, reaction, tasks: () => (counted ??= countTasks(deps, rule, selector)) };
  for (const gate of GATES) {
    const evaluation = await gate(deps, plan);
    if (evaluation !== 'pass') return evaluation;
  }
  return { state: 'reacted', reaction: { ...reaction, tasks: await plan.tasks() } };
}

async function observedOnly({ settings }: EvaluateDeps, plan: Plan): ReturnType<Gate> {
  const { signal, rule, reaction } = plan;
  if (!rule.observe && !isDetectorObserving(settings.signals, signal)) return 'pass';
  return { state: 'observed', reaction: { ...reaction, tasks: await plan.tasks() } };
}

async function heldAlready({ ledger }: EvaluateDeps, { rule, selector, reaction }: Plan): ReturnType<Gate> {
  if (rule.do !== 'hold' || rule.holdSeconds !== undefined) return 'pass';
  const seq = await findExistingHold(ledger, selector, rule.name);
  return seq === undefined ? 'pass' : recorded(reaction, `Revocation ${seq} of this reaction holds it already.`);
}

const DONE = 'The same was done, or put before a person, a moment ago.';

async function doneAlready({ ledger, settings }: EvaluateDeps, plan: Plan): ReturnType<Gate> {
  const isDone = await wasDone(ledger, plan.rule, subjectOf(plan), onceWithin(settings.signals, plan));
  return isDone ? recorded(plan.reaction, DONE) : 'pass';
}

async function tooFewSources({ ledger }: EvaluateDeps, plan: Plan): ReturnType<Gate> {
  const { signal, rule, reaction } = plan;
  if (!rule.corroborate) return 'pass';
  const { sources, withinSeconds } = rule.corroborate;
  const count = await countSources(ledger, rule, subjectOf(plan), signal);
  if (count >= sources) return 'pass';
  const waitsUntil = signal.receivedAt + withinSeconds * 1000;
  return {
    state: 'waiting',
    waitsUntil,
    reaction: { ...reaction, because: `${count} of ${sources} sources have reported it.` },
  };
}

async function claimedByAnother({ ledger, settings }: EvaluateDeps, plan: Plan): ReturnType<Gate> {
  const isOurs = await claimReaction(ledger, plan.rule, subjectOf(plan), onceWithin(settings.signals, plan));
  return isOurs ? 'pass' : recorded(plan.reaction, DONE);
}

async function tooManyTasks({ ledger, settings }: EvaluateDeps, plan: Plan): ReturnType<Gate> {
  const { signal, rule, reaction } = plan;
  const tasks = await plan.tasks();
  // A reaction without an open task to hit may still forbid much: it takes as much from the allowance as one task.
  const taken = rule.do === 'risk' ? 0 : Math.max(1, tasks);
  if (await takeAllowance(ledger, { id: signal.id, tasks: taken }, settings.signals)) return 'pass';
  const because = 'It would hit more tasks than are allowed in a minute.';
  return { state: 'pending', reaction: { ...reaction, tasks, because } };
}

const subjectOf = ({ selector }: Plan) => causeOf(selector);

/** A hold may lift itself before `dedupeSeconds` have passed. From then on the next signal must be able to hold again. */
const onceWithin = ({ dedupeSeconds }: SignalsConfig, { signal, rule }: Plan) => ({
  id: signal.id,
  dedupeSeconds: Math.min(dedupeSeconds, rule.holdSeconds ?? Infinity),
});

/** Returns everything that is needed to carry the reaction out: the configuration may have changed by then. */
const reactionOf = ({ name, do: does, risk, holdSeconds }: Reaction): ReactionDone => ({
  rule: name,
  do: does,
  ...(does === 'risk' && { level: risk ?? 'HIGH' }),
  ...(does === 'hold' && holdSeconds !== undefined && { holdSeconds }),
});

/** Returns any number above the limit once the limit is passed: a person decides then, and an exact count costs more. */
async function countTasks({ ledger, settings }: EvaluateDeps, rule: Reaction, selector: Selector): Promise<number> {
  if (rule.do === 'risk') return 0;
  const enough = { hit: Math.max(COUNTED_LEAST, settings.signals.maxTasksPerMinute), lookedAt: LOOKED_AT_MOST };
  const { affected, isWhole } = await countUpTo(ledger, { selector, at: ledger.clock.unchecked(), enough });
  return isWhole ? affected.tasks : Math.max(affected.tasks, enough.hit + 1);
}

/** Counting goes on to here even where the limit is lower, so that whoever decides sees how many tasks it is about. */
const COUNTED_LEAST = 1_000;
const LOOKED_AT_MOST = 5_000;

const fits = ({ event, level, from }: Reaction, signal: Signal): boolean =>
  event === signal.event &&
  (level === undefined || level === signal.level) &&
  (from === undefined || from.includes(signal.source));

/**
 * Returns whether the detector of this event only observes. A report of such an event by somebody else has no effect
 * either.
 */
function isDetectorObserving({ detectors }: SignalsConfig, { event }: Signal): boolean {
  const name = new Map<string, keyof typeof detectors>(Object.entries(DETECTOR_OF)).get(event);
  return name !== undefined && detectors[name].observe;
}

const recorded = (reaction: ReactionDone, because: string): Evaluation => ({
  state: 'recorded',
  reaction: { ...reaction, because },
});
