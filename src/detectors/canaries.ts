/**
 * Which of all that does not verify is a canary. The hashes of all canaries are held in memory, so strangers who send junk cost
 * one hash each, less than the signature that was looked at before, and cannot crowd out a find by it.
 */
import { hash } from 'node:crypto';
import { HARD_LIMITS } from '../domain/limits.js';
import { listCanaries } from '../ledger/canaries.js';
import type { Ledger } from '../ledger/ledger.js';

export interface Canaries {
  /** The hash under which it is known, or undefined: it is none. */
  find(token: string): string | undefined;
  /** Reads the list, where it was not read a moment ago. */
  refresh(): Promise<void>;
}

/** A new one is looked for by every broker after at most this. */
const STALE_MS = 10_000;

export function createCanaries(ledger: Ledger): Canaries {
  let known: ReadonlySet<string> = new Set();
  let readAt = -Infinity;
  return {
    find(token) {
      if (known.size === 0 || token.length > HARD_LIMITS.subjectTokenBytes) return undefined;
      const hashed = hash('sha256', token, 'base64url');
      return known.has(hashed) ? hashed : undefined;
    },
    async refresh() {
      const now = ledger.clock.now();
      if (Math.abs(now - readAt) < STALE_MS) return;
      known = new Set(await listCanaries(ledger));
      readAt = now;
    },
  };
}
