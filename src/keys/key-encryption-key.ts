/** Loads the 32-byte key that seals the signing keys: from a value, from a named file, or from a file made at first start. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { KeyEncryptionKeySource } from '../config/load.js';
import { errorCode } from '../domain/error-code.js';

const KEY_BYTES = 32;
const READABLE_BY_OTHERS = 0o077;
const WRITABLE_BY_OTHERS = 0o022;

/** No error message contains any part of the key. */
export async function loadKeyEncryptionKey({ value, file, defaultFile }: KeyEncryptionKeySource): Promise<Uint8Array> {
  if (value !== undefined && file !== undefined) {
    throw new Error('The key-encryption key is given twice, as a value and as a file: leave one out.');
  }
  if (value !== undefined) return decoded(value, 'The key-encryption key');
  if (file !== undefined) return readKey(file, WRITABLE_BY_OTHERS);
  await createUnlessThere(defaultFile);
  return readKey(defaultFile, READABLE_BY_OTHERS);
}

async function readKey(file: string, forbiddenMode: number): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const { mode } = await handle.stat();
    if ((mode & forbiddenMode) !== 0) {
      throw new Error(`${file} is open to others (mode ${(mode & 0o777).toString(8)}): make it 600, and the key new.`);
    }
    return decoded((await handle.readFile('utf8')).trim(), file);
  } finally {
    await handle.close();
  }
}

/**
 * The key is written to another name and then linked: a crash leaves no half-written key, and of two first starts at once both
 * use the key of the first.
 */
async function createUnlessThere(file: string): Promise<void> {
  if (await exists(file)) return;
  const directory = dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const aside = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(aside, 'wx', 0o600);
  try {
    await handle.writeFile(`${randomBytes(KEY_BYTES).toString('base64url')}\n`);
    await handle.sync();
    await link(aside, file).catch((error: unknown) => {
      if (errorCode(error) !== 'EEXIST') throw error;
    });
  } finally {
    await handle.close();
    await unlink(aside);
  }
  // Otherwise a power failure could lose the key and keep what it sealed.
  await syncDirectory(directory);
}

async function exists(file: string): Promise<boolean> {
  try {
    await (await open(file, 'r')).close();
    return true;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false;
    throw error;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function decoded(text: string, whose: string): Uint8Array {
  const bytes = /^[0-9a-f]{64}$/i.test(text)
    ? Buffer.from(text, 'hex')
    : /^[\w+/-]{43}=?$/.test(text)
      ? Buffer.from(text, 'base64')
      : undefined;
  if (bytes?.length !== KEY_BYTES) throw new Error(`${whose} is not 32 bytes as base64url, base64 or hex.`);
  return new Uint8Array(bytes);
}
