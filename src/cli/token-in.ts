/** An identity token, from the file that a platform keeps fresh. */
import { readFile } from 'node:fs/promises';

/** Judged here, since `fetch` would quote a value that is no header. */
export async function tokenIn(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Error(`${file} is not a file that can be read.`);
  });
  const token = text.trim();
  if (!/^[\w.~+/=-]+$/.test(token)) throw new Error(`${file} does not hold a token and nothing else.`);
  return token;
}
