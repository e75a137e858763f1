/** What is to be done about a signal: the first reaction that fits it, what that covers, and whether a brake holds it back. */
import type { Trust } from '../config/schema.js';
import { DETECTOR_OF, type Reaction, type SignalsConfig } from '../config/signals-schema.js';
import { causeOf, effectFits, type Selector } from '../domain/selector.js';
import type { ReactionDone, Signal } from '../domain/signal.js';
import { countImpact } from '../ledger/impact.js';
import type { Ledger } from '../ledger/ledger.js';
import { claim, voices, wasDone, withinAllowance } from './safeguards.js';
import { coveredBy } from './reaction-target.js';
import { standingHold } from './existing-hold.js';

type Judgement = Pick<Signal, 'state' | 'waitsUntil'> & { reaction?: ReactionDone };

export interface JudgeDeps {
  ledger: Ledger;
  settings: { trust: readonly Trust[]; signals: SignalsConfig };
}

/** Under this name a reaction acts. */
export const actorOf = (rule: string): string => `reaction:${rule}`;

export async function judge(deps: JudgeDeps, signal: Signal): Promise<Judgement> {
  const { signals } = deps.settings;
  const rule = signals.reactions.find((one) => fits(one, signal));
  if (!rule) return { state: 'recorded' };
  const wanted = wantedBy(rule);
  if (rule.do === 'record') return { state: 'recorded', reaction: wanted };
  const selector = await coveredBy(deps, signal, rule.covers);
  if (!selector) return recorded(wanted, 'The subject is not known here, or has no such thing as the reaction covers.');
  if (rule.do !== 'risk' && !effectFits(selector.kind, rule.do))
    return recorded({ ...wanted, selector }, `"${rule.do}" does not fit a ${selector.kind}.`);

  const meant = { ...wanted, selector };
  if (!rule.observe && !watchesOnly(signals, signal)) return braked(deps, rule, { signal, selector, meant });
  const tasks = await countTasks(deps, rule, selector);
  return { state: 'observed', reaction: { ...meant, tasks } };
}

/** The brakes, the cheap ones first: not twice, not by one word, not too much at once. */
async function braked(
  deps: JudgeDeps,
  rule: Reaction,
  { signal, selector, meant }: { signal: Signal; selector: Selector; meant: ReactionDone },
): Promise<Judgement> {
  const { ledger, settings } = deps;
  const { signals } = settings;
  const subject = causeOf(selector);
  if (rule.do === 'hold' && rule.holdSeconds === undefined) {
    const seq = await standingHold(ledger, selector, actorOf(rule.name));
    if (seq !== undefined) return recorded(meant, `Revocation ${seq} of this reaction holds it already.`);
  }
  // A hold that lifts itself sooner than that must not leave a gap in which the next signal counts for nothing.
  const dedupeSeconds = Math.min(signals.dedupeSeconds, rule.holdSeconds ?? Infinity);
  const once = { id: signal.id, dedupeSeconds };
  if (await wasDone(ledger, rule, subject, once)) return recorded(meant, DONE);
  if (rule.corroborate) {
    const { sources, withinSeconds } = rule.corroborate;
    const heard = await voices(ledger, rule, subject, signal);
    const waitsUntil = signal.receivedAt + withinSeconds * 1000;
    if (heard < sources)
      return {
        state: 'waiting',
        waitsUntil,
        reaction: { ...meant, because: `${heard} of ${sources} sources say so.` },
      };
  }
  if (!(await claim(ledger, rule, subject, once))) return recorded(meant, DONE);
  const tasks = await countTasks(deps, rule, selector);
  const counted = { ...meant, tasks };
  // Who hits nothing now may still forbid much: names that nobody has cost as much as one task.
  const taken = rule.do === 'risk' ? 0 : Math.max(1, tasks);
  if (!(await withinAllowance(ledger, { id: signal.id, tasks: taken }, signals))) {
    const because = 'It would hit more tasks than are allowed in a minute.';
    return { state: 'pending', reaction: { ...counted, because } };
  }
  return { state: 'reacted', reaction: counted };
}

const DONE = 'The same was done, or put before a person, a moment ago.';

/** All that carrying it out needs: the configuration may be another by then. */
const wantedBy = ({ name, do: does, risk, holdSeconds }: Reaction): ReactionDone => ({
  rule: name,
  do: does,
  ...(does === 'risk' && { level: risk ?? 'HIGH' }),
  ...(does === 'hold' && holdSeconds !== undefined && { holdSeconds }),
});

/** One more than is allowed is as good as any number: then a person decides. */
async function countTasks({ ledger, settings }: JudgeDeps, rule: Reaction, selector: Selector): Promise<number> {
  if (rule.do === 'risk') return 0;
  const enough = { hit: Math.max(COUNTED_LEAST, settings.signals.maxTasksPerMinute), lookedAt: LOOKED_AT_MOST };
  return (await countImpact(ledger, { selector, at: ledger.clock.now(), enough })).tasks;
}

/** So that whoever decides sees a number, and not merely that it was too much. */
const COUNTED_LEAST = 1_000;
const LOOKED_AT_MOST = 5_000;

const fits = ({ event, level, from }: Reaction, signal: Signal): boolean =>
  event === signal.event &&
  (level === undefined || level === signal.level) &&
  (from === undefined || from.includes(signal.source));

/** What a detector that watches would find: it is seen, whoever reports it, and nothing comes of it. */
function watchesOnly({ detectors }: SignalsConfig, { event }: Signal): boolean {
  const name = new Map<string, keyof typeof detectors>(Object.entries(DETECTOR_OF)).get(event);
  return name !== undefined && detectors[name].observe;
}

const recorded = (reaction: ReactionDone, because: string): Judgement => ({
  state: 'recorded',
  reaction: { ...reaction, because },
});
