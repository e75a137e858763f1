/** Files that hold a secret: their user's alone, and replaced whole, so that they are never read half written. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export async function replaceFile(path: string, text: string): Promise<void> {
  await rm(`${path}.new`, { force: true });
  // A file that somebody has put there would keep its own rights.
  await writeFile(`${path}.new`, text, { mode: 0o600, flag: 'wx' });
  await rename(`${path}.new`, path);
}

/** The file is looked at so often; the client renews its credentials well ahead. */
const REFRESH_MS = 1_000;

interface TokenFile {
  path: string;
  /** Removes it. */
  close: () => Promise<void>;
}

/**
 * Keeps a token in a file of a new directory.
 * @param token Returns the token that is to be in the file.
 * @param report Called with what goes wrong later. The file then keeps what it has.
 */
export async function keepInFile(token: () => Promise<string>, report: (error: unknown) => void): Promise<TokenFile> {
  const first = await token();
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-exec-'));
  const path = join(directory, 'token');
  let last: string | undefined;
  let isClosed = false;
  let writing = Promise.resolve();
  // One after the other: two that write at once could put half of a token in place.
  const write = (next: string): Promise<void> =>
    (writing = writing
      .catch(() => undefined)
      .then(async () => {
        if (isClosed || next === last) return;
        await replaceFile(path, next);
        last = next;
      }));
  await write(first);
  const refreshing = setInterval(() => void token().then(write).catch(report), REFRESH_MS);
  return {
    path,
    async close() {
      isClosed = true;
      clearInterval(refreshing);
      // What is being written would otherwise come back into the directory while it is removed.
      await writing.catch(() => undefined);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
