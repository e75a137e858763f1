/** Finds a credential by what its target calls it: an AWS access key id is what shows up in somebody's log. */
import { createHash } from 'node:crypto';
import { HISTORY_MS } from '../domain/limits.js';
import type { Credential } from '../domain/credential.js';
import { shardOfDigest } from '../domain/id.js';
import type { Key } from '../store/store.js';
import type { Ledger } from './ledger.js';
import { handleKey } from './names.js';

/** Before it is released: what is found in the wild can then be ended. */
export async function rememberHandle(
  { records }: Pick<Ledger, 'records'>,
  { id, expiresAt }: Pick<Credential, 'id' | 'expiresAt'>,
  handle: string,
): Promise<void> {
  await records.commit({ put: [[keyOf(handle), id, expiresAt + HISTORY_MS]] });
}

/** The credential's id, or undefined. */
export async function credentialCalled(
  { records }: Pick<Ledger, 'records'>,
  handle: string,
): Promise<string | undefined> {
  const [id] = await records.read([keyOf(handle)]);
  return id;
}

function keyOf(handle: string): Key {
  const digest = createHash('sha256').update(handle).digest();
  return handleKey(shardOfDigest(digest), digest.subarray(0, 16).toString('base64url'));
}
