/**
 * What is kept in the store under a secret that somebody else has: the store has a locked box, and the secret is the key. Neither is
 * of use without the other, and no key of the broker opens it.
 */
import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { compactDecrypt, CompactEncrypt } from 'jose';

const SECRET_BYTES = 32;
const SECRET = /^[\w-]{43}$/;

/** Returns a new secret: 256 random bits as base64url. */
export const newSecret = (): string => randomBytes(SECRET_BYTES).toString('base64url');

export const isSecret = (text: string): boolean => SECRET.test(text);

/** Returns what the secret says for one purpose. It leads back neither to the secret nor to what it says for another. */
export const derived = (secret: string, purpose: string): string => bytesFor(secret, purpose).toString('base64url');

const bytesFor = (secret: string, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', Buffer.from(secret, 'base64url'), '', `mayfly ${purpose}`, SECRET_BYTES));

/** Returns a tag for the text, as base64url: who does not have the secret cannot make it. */
export const tagFor = (secret: string, purpose: string, text: string): string =>
  createHmac('sha256', bytesFor(secret, purpose)).update(text).digest('base64url');

/** JWE, encrypted directly (RFC 7518 §4.5): A256GCM under a key that is used for this one text. */
export const lock = (secret: string, text: string): Promise<string> =>
  new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(bytesFor(secret, 'box'));

/** Returns undefined where the secret does not fit, or the box was changed. */
export async function unlock(secret: string, box: string): Promise<string | undefined> {
  try {
    const { plaintext } = await compactDecrypt(box, bytesFor(secret, 'box'), {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return new TextDecoder().decode(plaintext);
  } catch {
    return undefined;
  }
}
