/**
 * Texts that callers carry for the broker and can neither read nor make, such as the place where a page of a list ended. Every broker
 * with the same key-encryption key opens them, so nothing is stored for them.
 */
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export interface Hidden {
  /** Returns base64url. @param use For what: it opens for nothing else. Texts of up to 64 bytes are equally long when hidden. */
  hide: (text: string, use: string) => string;
  /** Returns undefined for what no broker of this deployment has hidden for this use. */
  reveal: (hidden: string, use: string) => string | undefined;
}

const CIPHER = 'aes-256-gcm';
const [SALT_BYTES, KEY_BYTES, NONCE_BYTES, TAG_BYTES] = [16, 32, 12, 16];
const PADDED_BYTES = 64;

export function hiddenBy(keyEncryptionKey: Uint8Array): Hidden {
  /** Each text has a key of its own: with one key for all, random nonces would repeat one day. */
  function keyFor(salt: Uint8Array, use: string) {
    const bytes = Buffer.from(
      hkdfSync('sha256', keyEncryptionKey, salt, `mayfly hides ${use}`, KEY_BYTES + NONCE_BYTES),
    );
    return { key: bytes.subarray(0, KEY_BYTES), nonce: bytes.subarray(KEY_BYTES) };
  }
  return {
    hide(text, use) {
      const salt = randomBytes(SALT_BYTES);
      const { key, nonce } = keyFor(salt, use);
      const cipher = createCipheriv(CIPHER, key, nonce);
      const box = Buffer.concat([cipher.update(text.padEnd(PADDED_BYTES), 'utf8'), cipher.final()]);
      return Buffer.concat([salt, box, cipher.getAuthTag()]).toString('base64url');
    },
    reveal(hidden, use) {
      const bytes = Buffer.from(hidden, 'base64url');
      if (bytes.length < SALT_BYTES + TAG_BYTES) return undefined;
      const { key, nonce } = keyFor(bytes.subarray(0, SALT_BYTES), use);
      const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      try {
        const box = bytes.subarray(SALT_BYTES, -TAG_BYTES);
        return Buffer.concat([decipher.update(box), decipher.final()])
          .toString()
          .trimEnd();
      } catch {
        return undefined;
      }
    },
  };
}
