/** What was noticed here joins what other brokers noticed, subject by subject, by compare-and-set: so all of them see one picture. */
import type { DetectorEvent } from '../domain/signal.js';
import { eachSettled } from '../ledger/each-settled.js';
import { retryOnConflict } from '../ledger/retry-on-conflict.js';
import type { Ledger } from '../ledger/ledger.js';
import { detectorKey } from '../ledger/keys.js';
import type { Finding, Noted, Rule } from './rule.js';
import type { Tallies } from './tallies.js';

interface TellDeps {
  ledger: Ledger;
  rules: Record<DetectorEvent, Rule>;
  raise: (noted: Noted, finding: Finding) => Promise<void>;
}

const AT_ONCE = 32;

/** What the store does not take is put back: rather counted twice than never. */
export async function tellStore(deps: TellDeps, taken: readonly Noted[], tallies: Tallies): Promise<void> {
  await eachSettled(
    taken,
    (noted) =>
      tell(deps, noted).catch((error: unknown) => {
        tallies.putBack(noted);
        throw error;
      }),
    AT_ONCE,
  );
}

/** The signal comes first: a crash after it repeats it under the same id. What was noticed in the last second is lost with one. */
async function tell({ ledger, rules, raise }: TellDeps, noted: Noted): Promise<void> {
  const { event, subject, count } = noted;
  const key = detectorKey(event, subject);
  // The text is the rule's own, so this compares and sets it without a schema.
  await retryOnConflict(ledger, async () => {
    const [kept] = await ledger.records.read([key]);
    if (kept === undefined && count === 0) return true; // A run that never was has nothing to begin anew.
    const { keep, until, finding } = rules[event](kept, noted, ledger.clock.now());
    if (finding) await raise(noted, finding);
    const done = await ledger.records.commit({ expect: [[key, kept]], put: [[key, keep, until]] });
    return done || undefined;
  });
}
