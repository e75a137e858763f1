/** Where the key-encryption key comes from, on a real file system. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKeyEncryptionKey } from '../../../src/keys/key-encryption-key.js';

let directory: string;
let defaultFile: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mayfly-kek-'));
  defaultFile = join(directory, 'data', 'key-encryption.key');
});
afterEach(() => rm(directory, { recursive: true }));

const bytes = randomBytes(32);

describe('the key-encryption key', () => {
  it.each(['base64url', 'base64', 'hex'] as const)('is taken from a value in %s', async (encoding) => {
    const key = await loadKeyEncryptionKey({ value: bytes.toString(encoding), defaultFile });
    expect(Buffer.from(key).equals(bytes)).toBe(true);
  });

  it('is taken from a named file, with or without a newline at its end', async () => {
    const file = join(directory, 'kek');
    await writeFile(file, `${bytes.toString('hex')}\n`);
    expect(Buffer.from(await loadKeyEncryptionKey({ file, defaultFile })).equals(bytes)).toBe(true);
  });

  it('is created for its owner alone, and is the same ever after', async () => {
    const first = await loadKeyEncryptionKey({ defaultFile });
    expect(first).toHaveLength(32);
    expect((await stat(defaultFile)).mode & 0o777).toBe(0o600);
    expect(await loadKeyEncryptionKey({ defaultFile })).toEqual(first);
    expect(await readdir(join(directory, 'data'))).toEqual(['key-encryption.key']);
  });

  it('is the same for many who start for the first time at once', async () => {
    const all = await Promise.all(Array.from({ length: 16 }, () => loadKeyEncryptionKey({ defaultFile })));
    expect(new Set(all.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
  });

  it.each([0o640, 0o604, 0o660])('a created file that was opened to others (%i) is refused', async (mode) => {
    await loadKeyEncryptionKey({ defaultFile });
    await chmod(defaultFile, mode);
    await expect(loadKeyEncryptionKey({ defaultFile })).rejects.toThrow(/open to others/);
  });

  it('a named file that others may write is refused', async () => {
    const file = join(directory, 'kek');
    await writeFile(file, bytes.toString('hex'));
    await chmod(file, 0o622);
    await expect(loadKeyEncryptionKey({ file, defaultFile })).rejects.toThrow(/open to others/);
  });

  it('of another size or form is refused without being repeated', async () => {
    const values = ['', 'short', bytes.subarray(1).toString('hex'), `${bytes.toString('base64url')}AA`, 'x'.repeat(64)];
    for (const value of values) {
      const refusal = loadKeyEncryptionKey({ value, defaultFile });
      await expect(refusal).rejects.toThrow('The key-encryption key is not 32 bytes as base64url, base64 or hex.');
    }
  });

  it('an empty file is an error, never replaced', async () => {
    await loadKeyEncryptionKey({ defaultFile });
    await writeFile(defaultFile, '');
    await expect(loadKeyEncryptionKey({ defaultFile })).rejects.toThrow(/is not 32 bytes/);
    expect(await readFile(defaultFile, 'utf8')).toBe('');
  });

  it('given twice is refused: it is not ours to choose', async () => {
    const both = { value: bytes.toString('hex'), file: '/nowhere', defaultFile };
    await expect(loadKeyEncryptionKey(both)).rejects.toThrow(/given twice/);
  });
});
