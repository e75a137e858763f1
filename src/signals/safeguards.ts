/** The safeguards of reactions: too few sources, the same reaction again, too many tasks at once. */
import type { Reaction, SignalsConfig } from '../config/signals-schema.js';
import { FORGET_MARGIN_MS } from '../domain/limits.js';
import { causeOf, type Cause, type Selector } from '../domain/selector.js';
import type { Signal } from '../domain/signal.js';
import { MINUTE_MS } from '../domain/time.js';
import { allowanceKey, minuteAllowanceKey } from '../ledger/keys.js';
import type { Ledger } from '../ledger/ledger.js';
import { memoriesOf, NO_MEMORY, REPORTS_MOST } from '../ledger/reaction-memory.js';
import { readReceipt } from '../ledger/receipts.js';
import { retryOnConflict, upsertRecord } from '../ledger/retry-on-conflict.js';

/**
 * Records this signal's source, and returns how many different sources have reported the subject within the time of the
 * reaction. The time counts from when the signal was received, however late it is evaluated.
 */
export async function countSources(
  ledger: Ledger,
  rule: Reaction,
  cause: Cause,
  { id, source, receivedAt }: Pick<Signal, 'id' | 'source' | 'receivedAt'>,
): Promise<number> {
  const withinMs = (rule.corroborate?.withinSeconds ?? 0) * 1000;
  const now = ledger.clock.unchecked();
  const { reports } = await upsertRecord(ledger, memories(ledger, rule), cause, (memory = NO_MEMORY) => {
    // Reports that led to the reaction once are used up: after a false alarm is lifted, all sources must report again.
    const { done } = memory;
    // A reaction in the future was recorded by a clock that was ahead. It uses up nothing.
    const usedUpTo = done && done.signal !== id && done.at <= now ? done.at : 0;
    const counts = (at: number) => at > usedUpTo && Math.abs(at - receivedAt) < withinMs;
    const others = memory.reports.filter((report) => report.source !== source && counts(report.at));
    return { ...memory, reports: [...others, { source, at: receivedAt }].slice(-REPORTS_MOST) };
  });
  return reports.length;
}

/** Returns whether another signal led to this reaction less than `dedupeSeconds` ago. */
export async function wasDone(
  ledger: Ledger,
  rule: Reaction,
  cause: Cause,
  { id, dedupeSeconds }: { id: string; dedupeSeconds: number },
): Promise<boolean> {
  const done = (await memories(ledger, rule).read(ledger, cause))?.value.done;
  return done !== undefined && done.signal !== id && stands(done, ledger.clock.unchecked(), dedupeSeconds);
}

/** The distance counts in both directions: a clock that was set back must not suppress reactions until it has caught up. */
const stands = ({ at }: { at: number }, now: number, dedupeSeconds: number): boolean =>
  Math.abs(now - at) < dedupeSeconds * 1000;

/** Claims the reaction for this signal. False: another signal has claimed it less than `dedupeSeconds` ago. */
export async function claimReaction(
  ledger: Ledger,
  rule: Reaction,
  cause: Cause,
  { id, dedupeSeconds }: { id: string; dedupeSeconds: number },
): Promise<boolean> {
  const now = ledger.clock.unchecked();
  const { done } = await upsertRecord(ledger, memories(ledger, rule), cause, (memory = NO_MEMORY) => {
    return memory.done && stands(memory.done, now, dedupeSeconds)
      ? memory
      : { ...memory, done: { signal: id, at: now } };
  });
  return done?.signal === id;
}

/**
 * Takes the tasks out of this minute's allowance, once for each signal: two brokers may evaluate it at the same time, or one
 * again after a crash. False: fewer are left, and nothing is taken.
 */
export async function takeAllowance(
  ledger: Ledger,
  { id, tasks }: { id: string; tasks: number },
  { maxTasksPerMinute }: Pick<SignalsConfig, 'maxTasksPerMinute'>,
): Promise<boolean> {
  if (tasks === 0) return true;
  const { records, clock } = ledger;
  const now = clock.unchecked();
  const [all, own] = [minuteAllowanceKey(Math.floor(now / MINUTE_MS)), allowanceKey(id)];
  // Two records change in one commit, and `record` writes one.
  return retryOnConflict(ledger, async () => {
    const [text, taken] = await records.read([all, own]);
    if (taken !== undefined) return true;
    const used = Number(text ?? 0) + tasks;
    if (used > maxTasksPerMinute) return false;
    const until = now + FORGET_MARGIN_MS;
    const done = await records.commit({
      expect: [
        [all, text],
        [own, undefined],
      ],
      put: [
        [all, String(used), until],
        [own, String(tasks), until],
      ],
    });
    return done ? true : undefined;
  });
}

/**
 * Returns the number of a hold by which this reaction holds the subject until somebody lifts it, or undefined. A second hold
 * would change nothing and need a second lift. Holds of others do not count, whatever their ticket says: whoever placed one may lift
 * it when they like.
 */
export async function findExistingHold(
  ledger: Ledger,
  selector: Selector,
  reaction: string,
): Promise<number | undefined> {
  const subject = causeOf(selector);
  const [tombstone] = (await ledger.log.look([subject])).on([subject]);
  const receipts = await Promise.all((tombstone?.holds ?? []).map((seq) => readReceipt(ledger, seq)));
  return receipts.find((receipt) => receipt?.reaction === reaction && receipt.liftAt === undefined)?.seq;
}

/** The memory of a reaction is kept for as long as corroboration may still ask for it, and an hour at least. */
const memories = (ledger: Ledger, { name, corroborate }: Reaction) =>
  memoriesOf(ledger, name, Math.max(3_600, corroborate?.withinSeconds ?? 0) * 1000 + FORGET_MARGIN_MS);
