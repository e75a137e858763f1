/** Runs the Lua scripts of this folder by their hash. The text is sent only to a server that does not know the hash. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { unavailable, type Client } from './client.js';

export interface Script {
  text: string;
  sha: string;
}

export const script = (text: string): Script => ({ text, sha: createHash('sha1').update(text).digest('hex') });

export const readScript = (name: string): string => readFileSync(new URL(`./${name}.lua`, import.meta.url), 'utf8');

export async function run(
  client: Client,
  { text, sha }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Promise<unknown> {
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!isUnknownScript(error)) throw unavailable(error);
  }
  return asked(client.eval(text, keys.length, ...keys, ...args));
}

/** Resolves like `answer`, or rejects with StoreUnavailable. */
export async function asked<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw unavailable(error);
  }
}

const isUnknownScript = (error: unknown): boolean => error instanceof Error && error.message.startsWith('NOSCRIPT');
