/** The safeguards of reactions: too few sources, the same reaction again, and the hold that stands already. */
import type { Reaction } from '../config/signals-schema.js';
import { AHEAD_AT_MOST_MS } from '../domain/limits.js';
import { causeOf, type Cause, type Selector } from '../domain/selector.js';
import { DETECTOR, type Signal } from '../domain/signal.js';
import type { Ledger } from '../ledger/ledger.js';
import { memoriesOf, NO_MEMORY, REPORTS_MOST, type Claim } from '../ledger/reaction-memory.js';
import { readReceipt } from '../ledger/receipts.js';
import { retryOnConflict, upsertRecord } from '../ledger/retry-on-conflict.js';

/**
 * Records who is behind this signal, and returns how many different origins have reported the subject within the time of the
 * reaction. The time counts from when the signal was received, however late it is evaluated.
 */
export async function countSources(
  ledger: Ledger,
  rule: Reaction,
  cause: Cause,
  { id, origin, receivedAt }: Pick<Signal, 'id' | 'receivedAt'> & { origin: string },
): Promise<number> {
  const withinMs = (rule.corroborate?.withinSeconds ?? 0) * 1000;
  const { reports, done } = await upsertRecord(ledger, memories(ledger, rule), cause, (memory = NO_MEMORY) => {
    const others = memory.reports.filter(({ source }) => source !== origin);
    return { ...memory, reports: [...others, { source: origin, at: receivedAt }].slice(-REPORTS_MOST) };
  });
  // Reports that led to the reaction once are used up: after a false alarm is lifted, all sources must report again. A reaction in
  // the future was recorded by a clock that was ahead. It uses up nothing.
  const usedUpTo = done && done.signal !== id && done.at <= ledger.clock.uncheckedMiddle() ? done.at : 0;
  const counting = reports.filter(
    ({ source, at }) => source === origin || (at > usedUpTo && Math.abs(at - receivedAt) < withinMs),
  );
  // A detector finds what it finds in the acts of callers, and an API that introspects can make it find something. So it is no
  // second source beside anybody who reports the same event: the two may be one.
  return Math.max(1, counting.filter(({ source }) => source !== DETECTOR).length);
}

/** What a signal can claim: that the reaction is done for it, or that a person is asked about it. */
type ClaimKind = 'done' | 'asked';

export const readClaim = async (
  ledger: Ledger,
  rule: Reaction,
  cause: Cause,
  what: ClaimKind,
): Promise<Claim | undefined> => (await memories(ledger, rule).read(ledger, cause))?.value[what];

/**
 * Claims it for the signal `id`, once: two brokers may evaluate the same signal, or one again after a crash. False: another signal
 * has claimed it, and that claim stands.
 */
export function claim(
  ledger: Ledger,
  rule: Reaction,
  cause: Cause,
  { what, id, stands }: { what: ClaimKind; id: string; stands: (other: Claim) => Promise<boolean> },
): Promise<boolean> {
  const kind = memories(ledger, rule);
  return retryOnConflict(ledger, async () => {
    const stored = await kind.read(ledger, cause);
    const there = stored?.value[what];
    if (there?.signal === id) return true;
    if (there && (await stands(there))) return false;
    const own = { signal: id, at: ledger.clock.uncheckedMiddle() };
    const next = { ...(stored?.value ?? NO_MEMORY), [what]: own };
    return (await kind.write(ledger, cause, stored, next)) ? true : undefined;
  });
}

/**
 * Returns the number of a hold by which this reaction holds the subject until somebody lifts it, or undefined. A second hold
 * would change nothing and need a second lift. Holds of others do not count, whatever their ticket says: whoever placed one may
 * lift it when they like.
 */
export async function findExistingHold(
  ledger: Ledger,
  selector: Selector,
  reaction: string,
): Promise<number | undefined> {
  const receipts = await Promise.all((await holdsOn(ledger, selector)).map((seq) => readReceipt(ledger, seq)));
  return receipts.find((receipt) => receipt?.reaction === reaction && receipt.liftAt === undefined)?.seq;
}

/** Returns the numbers of the holds on this selector itself that are in force. */
export async function holdsOn(ledger: Ledger, selector: Selector): Promise<readonly number[]> {
  const subject = causeOf(selector);
  const [tombstone] = (await ledger.log.look([subject])).on([subject]);
  return tombstone?.holds ?? [];
}

/** The memory of a reaction is kept for as long as corroboration may still ask for it, and an hour at least. */
const memories = (ledger: Ledger, { name, corroborate }: Reaction) =>
  memoriesOf(ledger, name, Math.max(3_600, corroborate?.withinSeconds ?? 0) * 1000 + AHEAD_AT_MOST_MS);
