/** Sessions of persons in browsers: each a locked box, which only their browser can open. */
import { sessionKey } from './keys.js';
import type { Ledger } from './ledger.js';

/**
 * Keeps a session. An id is derived from a new secret, so none is ever there before.
 * @param until Milliseconds: from then on it is gone
 */
export async function keepSession({ records }: Ledger, { id, box, until }: Kept): Promise<void> {
  const key = sessionKey(id);
  if (await records.commit({ expect: [[key, undefined]], put: [[key, box, until]] })) return;
  throw new Error('a session of that id is there');
}

interface Kept {
  id: string;
  box: string;
  until: number;
}

/** Returns the box, or undefined where the session has ended. */
export async function readSession({ records }: Ledger, id: string): Promise<string | undefined> {
  const [box] = await records.read([sessionKey(id)]);
  return box;
}

/** Ends a session at every broker. Returns when it is gone. */
export async function endSession({ records }: Ledger, id: string): Promise<void> {
  const key = sessionKey(id);
  const [box] = await records.read([key]);
  if (box !== undefined) await records.commit({ expect: [[key, box]], put: [], remove: [key] });
}
