/** What `--broker` and `--token-file` say. Apart from the client of the commands for people, so that `mayfly exec` starts sooner. */
import { readFile } from 'node:fs/promises';
import { IdentityUnavailable } from '../client/index.js';
import { isSafeOrigin } from '../domain/safe-origin.js';

/** @param broker The value of `--broker`. */
export function brokerUrl(broker: string, path: string): URL {
  const origin = broker.replace(/\/$/, '');
  // The identity token is sent to this address, so never in clear text over a network.
  if (!isSafeOrigin(origin))
    throw new Error('--broker is an origin such as https://mayfly.example (http only on loopback).');
  return new URL(path, origin);
}

/** Reads an identity token from a file that a platform keeps fresh. */
export async function readIdentity(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => {
    throw new IdentityUnavailable(`${file} is not a file that can be read.`);
  });
  return tokenIn(text, file);
}

/** Returns the token without white space around it. Its form is checked, because `fetch` quotes an invalid header in its error. */
export function tokenIn(text: string, where: string): string {
  const token = text.trim();
  if (!/^[\w.~+/=-]+$/.test(token)) throw new IdentityUnavailable(`${where} does not hold a token and nothing else.`);
  return token;
}
