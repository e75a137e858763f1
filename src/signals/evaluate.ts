/**
 * Decides what is done about a signal: the first reaction that fits it, what that reaction covers, and whether a gate stops
 * it.
 */
import { DETECTOR_OF, type Reaction, type SignalsConfig } from '../config/signals-schema.js';
import type { Trust } from '../config/trust-schema.js';
import { causeOf, effectFits, type Selector } from '../domain/selector.js';
import { DETECTOR, type ReactionDone, type Signal } from '../domain/signal.js';
import { toTimestamp } from '../domain/time.js';
import { countUpTo } from '../ledger/impact.js';
import type { Ledger } from '../ledger/ledger.js';
import { listMutes } from '../ledger/mutes.js';
import { takeFromBudget } from '../ledger/reaction-budget.js';
import type { Claim } from '../ledger/reaction-memory.js';
import { readSignal } from '../ledger/signals.js';
import { originOf, resolveReactionTarget, type ReactionTarget } from './authority.js';
import { claim, countSources, findExistingHold, holdsOn, readClaim } from './safeguards.js';

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
  target: ReactionTarget;
  /** Who is behind the signal. */
  origin: string;
  reaction: ReactionDone;
  /** Counts what the reaction would hit, once, when somebody first asks. A narrow reaction that acts does not wait for it. */
  hit(): Promise<HitCount>;
}

/** Lets a reaction pass, or returns what the signal becomes instead. */
type Gate = (deps: EvaluateDeps, plan: Plan) => Promise<'pass' | Evaluation>;

/**
 * A reaction acts when it has passed all gates, in this order. The cheap ones come first. The claim comes last: a signal that waits
 * for another source, or for a person, must not keep away a signal that could act.
 */
const GATES: readonly Gate[] = [
  observedOnly,
  muted,
  heldAlready,
  doneAlready,
  tooFewSources,
  beyondBudget,
  claimedByAnother,
];

const NO_SUCH_THING = 'The subject is not known here, or has no such thing as the reaction covers, or more than one.';
const FINDING_STOPS_SHORT =
  'The finding names nobody, or the reaction covers more than the token or task that was used: another may have used it.';

export async function evaluateSignal(deps: EvaluateDeps, signal: Signal): Promise<Evaluation> {
  const { ledger, settings } = deps;
  const rule = settings.signals.reactions.find((one) => fits(one, signal));
  if (!rule) return { state: 'recorded' };
  const intended = reactionOf(rule);
  if (rule.do === 'record') return { state: 'recorded', reaction: intended };
  const target = await resolveReactionTarget(deps, signal, rule.covers);
  if (!target) return recorded(intended, signal.source === DETECTOR ? FINDING_STOPS_SHORT : NO_SUCH_THING);
  const { selector } = target;
  const reaction = { ...intended, selector };
  if (rule.do !== 'risk' && !effectFits(selector.kind, rule.do))
    return recorded(reaction, `"${rule.do}" does not fit a ${selector.kind}.`);

  let counted: Promise<HitCount> | undefined;
  const hit = () => (counted ??= countHit(ledger, selector));
  const plan = { signal, rule, target, origin: originOf(settings.trust, rule, signal.source), reaction, hit };
  for (const gate of GATES) {
    const evaluation = await gate(deps, plan);
    if (evaluation !== 'pass') return evaluation;
  }
  return { state: 'reacted', reaction };
}

async function observedOnly({ settings }: EvaluateDeps, plan: Plan): ReturnType<Gate> {
  const { signal, rule, reaction } = plan;
  if (!rule.observe && !isDetectorObserving(settings.signals, signal)) return 'pass';
  // Risk hits no task.
  const tasks = rule.do === 'risk' ? 0 : (await plan.hit()).tasks;
  return { state: 'observed', reaction: { ...reaction, tasks } };
}

/** A canary is shown by nobody by mistake, so no mute silences it. */
const NEVER_MUTED: ReadonlySet<Signal['event']> = new Set(['canary-used']);

/** Without the time nobody can say what is muted. Then nothing is. */
async function muted({ ledger }: EvaluateDeps, { signal, reaction }: Plan): ReturnType<Gate> {
  if (NEVER_MUTED.has(signal.event) || !ledger.clock.isTrusted()) return 'pass';
  const mute = (await listMutes(ledger)).find(({ source }) => source === signal.source);
  return mute ? recorded(reaction, `Its source is muted until ${toTimestamp(mute.until)}, by ${mute.by}.`) : 'pass';
}

async function heldAlready({ ledger }: EvaluateDeps, { rule, target, reaction }: Plan): ReturnType<Gate> {
  if (rule.do !== 'hold' || rule.holdSeconds !== undefined) return 'pass';
  const seq = await findExistingHold(ledger, target.selector, rule.name);
  return seq === undefined ? 'pass' : recorded(reaction, `Revocation ${seq} of this reaction holds it already.`);
}

const DONE = 'The same was done a moment ago.';

async function doneAlready(deps: EvaluateDeps, plan: Plan): ReturnType<Gate> {
  const other = await readClaim(deps.ledger, plan.rule, subjectOf(plan), 'done');
  const isDone = other && other.signal !== plan.signal.id && (await isStillDone(deps, plan, other));
  return isDone ? recorded(plan.reaction, DONE) : 'pass';
}

async function tooFewSources({ ledger }: EvaluateDeps, plan: Plan): ReturnType<Gate> {
  const { signal, rule, origin, reaction } = plan;
  if (!rule.corroborate) return 'pass';
  const { sources, withinSeconds } = rule.corroborate;
  const count = await countSources(ledger, rule, subjectOf(plan), { ...signal, origin });
  if (count >= sources) return 'pass';
  const waitsUntil = signal.receivedAt + withinSeconds * 1000;
  return {
    state: 'waiting',
    waitsUntil,
    reaction: { ...reaction, because: `${count} of ${sources} sources have reported it.` },
  };
}

async function beyondBudget(deps: EvaluateDeps, plan: Plan): ReturnType<Gate> {
  const { ledger, settings } = deps;
  const { signal, rule, target, origin, reaction } = plan;
  const most = settings.signals.maxPartiesPerMinute;
  if (rule.do === 'risk' || most === 'unlimited') return 'pass';
  // What is reported as one counts as one, whatever it has open: otherwise it could protect itself by opening tasks.
  const parties = target.selector.kind === 'issuer' ? Math.max(1, (await plan.hit()).workloads) : 1;
  const budget = { reaction: rule.name, origin, issuer: target.issuer };
  if (await takeFromBudget(ledger, budget, { of: target.party, parties }, most)) return 'pass';
  const stands = (other: Claim) => isStillAsked(deps, other);
  const isFirst = await claim(ledger, rule, subjectOf(plan), { what: 'asked', id: signal.id, stands });
  if (!isFirst) return recorded(reaction, 'A person was asked about the same a moment ago.');
  const because = 'It would hit more parties than this source may hit in a minute.';
  return { state: 'pending', reaction: { ...reaction, tasks: (await plan.hit()).tasks, because } };
}

async function claimedByAnother(deps: EvaluateDeps, plan: Plan): ReturnType<Gate> {
  const stands = (other: Claim) => isStillDone(deps, plan, other);
  const isOurs = await claim(deps.ledger, plan.rule, subjectOf(plan), { what: 'done', id: plan.signal.id, stands });
  return isOurs ? 'pass' : recorded(plan.reaction, DONE);
}

/** Returns whether what another signal led to answers this one too. If that did not come to anything, it answers nothing. */
async function isStillDone(
  { ledger, settings }: EvaluateDeps,
  plan: Plan,
  { signal: id, at }: Claim,
): Promise<boolean> {
  const { signal, rule, target } = plan;
  if (!isWithin(ledger, at, Math.min(settings.signals.dedupeSeconds, lastsSeconds(settings.signals, rule) / 2)))
    return false;
  // A cutoff answers what happened before it. Whoever came back since is not cut off.
  if (rule.do === 'cutoff' && signal.at > at) return false;
  const other = (await readSignal(ledger, id))?.value;
  // One that is under way will be carried out, if need be by another broker.
  if (other?.state !== 'reacted') return other?.state === 'accepted';
  const seq = other.reaction?.seq;
  return rule.do !== 'hold' || seq === undefined || (await holdsOn(ledger, target.selector)).includes(seq);
}

/** Returns whether a person still has to decide about what another signal led to. */
async function isStillAsked({ ledger, settings }: EvaluateDeps, { signal: id, at }: Claim): Promise<boolean> {
  if (!isWithin(ledger, at, settings.signals.dedupeSeconds)) return false;
  const state = (await readSignal(ledger, id))?.value.state;
  return state === 'accepted' || state === 'pending';
}

/** The distance counts in both directions: a clock that was set back must not suppress reactions until it has caught up. */
const isWithin = ({ clock }: Ledger, at: number, seconds: number): boolean =>
  Math.abs(clock.uncheckedMiddle() - at) < seconds * 1000;

/**
 * Returns how long what the reaction does lasts by itself. A report is not answered by what ends soon: at least half of that time
 * comes after every report.
 */
const lastsSeconds = ({ riskStepSeconds }: SignalsConfig, { do: does, holdSeconds = Infinity }: Reaction): number =>
  does === 'risk' ? riskStepSeconds : holdSeconds;

const subjectOf = ({ target }: Plan) => causeOf(target.selector);

/** Returns everything that is needed to carry the reaction out: the configuration may have changed by then. */
const reactionOf = ({ name, do: does, risk, holdSeconds }: Reaction): ReactionDone => ({
  rule: name,
  do: does,
  ...(does === 'risk' && { level: risk ?? 'HIGH' }),
  ...(does === 'hold' && holdSeconds !== undefined && { holdSeconds }),
});

interface HitCount {
  /** Open tasks; where not all were looked at, a number above all that were. */
  tasks: number;
  /** The workloads that run these tasks; Infinity where not all were looked at. */
  workloads: number;
}

const LOOKED_AT_MOST = 5_000;

/** A clock that is ahead must not make the tasks seem fewer. */
async function countHit(ledger: Ledger, selector: Selector): Promise<HitCount> {
  const enough = { hit: LOOKED_AT_MOST, lookedAt: LOOKED_AT_MOST };
  const at = ledger.clock.uncheckedEarliest();
  const { affected, workloads, isWhole } = await countUpTo(ledger, { selector, at, enough });
  return isWhole ? { tasks: affected.tasks, workloads } : { tasks: LOOKED_AT_MOST + 1, workloads: Infinity };
}

const fits = ({ event, level, from }: Reaction, signal: Signal): boolean =>
  event === signal.event &&
  (level === undefined || level === signal.level) &&
  (from === undefined || from.includes(signal.source));

/** Returns whether the signal is a finding of a detector that only observes. What others report is none. */
function isDetectorObserving({ detectors }: SignalsConfig, { event, source }: Signal): boolean {
  if (source !== DETECTOR) return false;
  const name = new Map<string, keyof typeof detectors>(Object.entries(DETECTOR_OF)).get(event);
  return name !== undefined && detectors[name].observe;
}

const recorded = (reaction: ReactionDone, because: string): Evaluation => ({
  state: 'recorded',
  reaction: { ...reaction, because },
});
