/**
 * Decides which subjects get a record of their own in the store. Tasks and credentials do: each was granted. A party does once
 * the broker remembers it (ledger/seen.ts), and so do the first proofs of such parties in a minute. All others of an issuer are
 * counted together: whoever may push a branch has one more name, and tokens for it, as often as it likes.
 */
import { partySelector, type PartyCharge, type ProofCharge } from '../domain/charge.js';
import { createDistinctLimit } from '../domain/distinct-limit.js';
import { MINUTE_MS } from '../domain/time.js';
import type { Ledger } from '../ledger/ledger.js';
import { areRemembered } from '../ledger/seen.js';
import type { Tally } from './rule.js';
import { newTally } from './tallies.js';

/** Returns the tallies, with those of an issuer put together that get no record of their own. */
export type Pool = (tallies: readonly Tally[]) => Promise<Tally[]>;

/** Proofs of one issuer that are told apart in a minute. */
export const PROOFS_PER_ISSUER = 40;

export function createPool(ledger: Ledger): Pool {
  const proofs = createDistinctLimit({ most: PROOFS_PER_ISSUER, everyMs: MINUTE_MS });
  return async (tallies) => {
    const named = tallies.filter(isNamed);
    if (named.length === 0) return [...tallies];
    const remembered = await areRemembered(
      ledger,
      named.map(({ charge }) => partySelector(charge.of)),
    );
    const now = ledger.clock.unchecked();
    const strangers = new Set<Tally>(
      named.filter(
        ({ charge }, place) =>
          !remembered[place] || (charge.kind === 'proof' && !proofs.admits(charge.of.issuer, charge.id, now)),
      ),
    );
    return [
      ...tallies.filter((tally) => !strangers.has(tally)),
      ...together(named.filter((one) => strangers.has(one))),
    ];
  };
}

type NamedTally = Tally & { charge: PartyCharge | ProofCharge };

/** Returns whether the tally may be that of a party to which nothing was ever granted. A spike of mints never is. */
const isNamed = (tally: Tally): tally is NamedTally =>
  tally.charge.kind === 'proof' || (tally.charge.kind === 'party' && tally.event !== 'mint-spike');

/** Returns one tally for each detector and issuer. */
function together(strangers: readonly NamedTally[]): Tally[] {
  const pooled = new Map<string, Tally>();
  for (const { event, charge, count, at } of strangers) {
    const fresh = newTally(event, { kind: 'issuer', id: charge.of.issuer }, at);
    const tally = pooled.get(fresh.key) ?? fresh;
    tally.count += count;
    pooled.set(fresh.key, tally);
  }
  return [...pooled.values()];
}
