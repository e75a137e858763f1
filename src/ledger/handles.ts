/** Handles: a credential is found by what its target calls it, because a target's log or a leak contains only that. */
import type { Credential } from '../domain/credential.js';
import { sha256Bytes } from '../domain/digest.js';
import { BrokerError } from '../domain/errors.js';
import { shardOfDigest } from '../domain/id.js';
import { HARD_LIMITS, HISTORY_MS } from '../domain/limits.js';
import type { Key } from '../store/store.js';
import { handlesIn } from '../targets/kinds.js';
import { handleKey } from './keys.js';
import type { Ledger } from './ledger.js';

/** Stores the handle before the credential is handed out, so that a credential that is found in the wild can be ended. */
export async function putHandle(
  { records }: Ledger,
  { id, expiresAt }: Pick<Credential, 'id' | 'expiresAt'>,
  handle: string,
): Promise<void> {
  await records.commit({ put: [[keyOf(handle), id, expiresAt + HISTORY_MS]] });
}

/** Returns the id of the credential; undefined when the handle is unknown. */
export async function credentialByHandle({ records }: Ledger, handle: string): Promise<string | undefined> {
  const [id] = await records.read([keyOf(handle)]);
  return id;
}

function keyOf(handle: string): Key {
  const digest = sha256Bytes(handle);
  return handleKey(shardOfDigest(digest), digest.subarray(0, 16).toString('base64url'));
}

/**
 * Returns the credentials whose handle is in a text; if it holds nothing that looks like one, the text as a whole is
 * the handle. Each handle is a look-up, so a text with more than a few is refused before any of them.
 */
export async function credentialsByHandle(ledger: Ledger, text: string): Promise<string[]> {
  const most = HARD_LIMITS.handlesPerText;
  const handles = handlesIn(text, most + 1);
  if (handles.length > most) {
    throw new BrokerError(
      'invalid_request',
      `The text names more than ${most} credentials. Send a shorter part of it.`,
    );
  }
  const ids = await Promise.all((handles.length > 0 ? handles : [text]).map((one) => credentialByHandle(ledger, one)));
  return ids.filter((id) => id !== undefined);
}
