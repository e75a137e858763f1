/**
 * Sessions that this broker handed out and may hand out once more. SDKs of AWS ask again some minutes before a session ends, and
 * before every call once the end of the task leaves no session that is longer. What they have then is as good as a new one, and
 * a new one each time would soon be more than a task may have.
 */
import { LRUCache } from 'lru-cache';
import type { Credential } from '../domain/credential.js';
import { sha256 } from '../domain/digest.js';
import { credentialCauses } from '../domain/hangs-on.js';
import type { Task } from '../domain/task.js';
import { alive } from '../ledger/credentials.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Minted } from '../minters/minter.js';

/** What was handed out, secret included. */
export interface CachedSession {
  minted: Minted;
  credential: Credential;
}

export interface SessionCache {
  /** Returns what was handed out and lives, and will do in place of the drafted credential; undefined where nothing will. */
  inPlaceOf(drafted: Credential, task: Task): Promise<CachedSession | undefined>;
  keep(session: CachedSession, task: Task): void;
}

/** A session takes about two kilobytes of memory. One that is forgotten costs a call to STS. */
const SESSIONS_KEPT = 2_000;

/** @param keptMax How many sessions are kept. The cache takes the memory for all places at once. */
export function sessionCache(ledger: Ledger, keptMax = SESSIONS_KEPT): SessionCache {
  // A secret is dropped when its session ends, whether or not anybody asks for it.
  const sessions = new LRUCache<string, CachedSession>({ max: keptMax, ttl: 1, ttlAutopurge: true });
  return {
    async inPlaceOf(drafted, task) {
      const key = purposeOf(drafted, task);
      const session = sessions.get(key);
      if (!session || session.credential.expiresAt > drafted.expiresAt || !lastsHalf(session.credential, drafted))
        return undefined;
      const [living] = await alive(ledger, [{ credential: session.credential, task }]);
      if (living) return session;
      sessions.delete(key);
      return undefined;
    },
    keep(session, task) {
      const { issuedAt, expiresAt } = session.credential;
      sessions.set(purposeOf(session.credential, task), session, { ttl: expiresAt - issuedAt });
    },
  };
}

/**
 * Returns those of the credentials of a task that no other has taken the place of, the drafted one among the others. One takes
 * the place of another if it is for the same and was made when that had less than half of its time: whoever renews a credential
 * in time has one, and not as many as are left of those before. By that half they are few, in whatever order lifetimes are
 * asked for.
 */
export function notSuperseded(living: readonly Credential[], drafted: Credential, task: Task): Credential[] {
  const all = [...living, drafted].map((credential) => ({ credential, purpose: purposeOf(credential, task) }));
  return all.slice(0, -1).flatMap(({ credential: earlier, purpose }) => {
    const isSuperseded = all.some(
      ({ credential: later, ...other }) =>
        other.purpose === purpose && earlier.issuedAt < later.issuedAt && !lastsHalf(earlier, later),
    );
    return isSuperseded ? [] : [earlier];
  });
}

/**
 * Returns what two credentials have in common of which one can stand in for the other: they are for the same access, and whatever
 * ends the one ends the other. So one of another run, of another team, or derived from another credential cannot.
 */
const purposeOf = (credential: Credential, task: Task): string =>
  sha256(JSON.stringify([credential.access, credentialCauses({ ...credential, id: '' }, task)]));

/** Returns whether the earlier one had, when the later was issued, at least half of the later one's time. */
const lastsHalf = (earlier: Credential, later: Credential): boolean =>
  2 * (earlier.expiresAt - later.issuedAt) >= later.expiresAt - later.issuedAt;
