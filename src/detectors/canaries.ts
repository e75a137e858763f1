/**
 * Recognises canaries among tokens that do not verify. The hashes of all canaries are in memory: junk from strangers costs
 * one hash each, less than the signature check before it, and cannot keep a canary from being found.
 */
import { sha256 } from '../domain/digest.js';
import { HARD_LIMITS } from '../domain/limits.js';
import { listCanaries } from '../ledger/canaries.js';
import type { Ledger } from '../ledger/ledger.js';

export interface Canaries {
  /** Returns the hash under which the canary is stored, or undefined when the token is no canary. */
  find(token: string): string | undefined;
  /** Reads the list again when it is older than 10 seconds. */
  refresh(): Promise<void>;
}

/** Every broker knows a new canary after at most this time. */
const STALE_MS = 10_000;

export function createCanaries(ledger: Ledger): Canaries {
  let known: ReadonlySet<string> = new Set();
  let readAt = -Infinity;
  return {
    find(token) {
      if (known.size === 0 || token.length > HARD_LIMITS.subjectTokenBytes) return undefined;
      const hashed = sha256(token);
      return known.has(hashed) ? hashed : undefined;
    },
    async refresh() {
      const now = ledger.clock.unchecked();
      if (Math.abs(now - readAt) < STALE_MS) return;
      known = new Set(await listCanaries(ledger));
      readAt = now;
    },
  };
}
