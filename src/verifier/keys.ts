/**
 * The keys of the broker. They are fetched once in ten minutes, and earlier for a key that is not known; never more often than once
 * in five seconds, because anybody can send a token that names an unknown key.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { boundedText } from '../client/request.js';
import { isObject, readObject } from '../domain/json-object.js';
import { ageOf, instant, type Instant } from './instant.js';

const KEPT_MS = 600_000;
const PAUSE_MS = 5_000;
const TIMEOUT_MS = 5_000;

/** The keys could not be fetched. This says nothing about any token. */
export class KeysUnavailable extends Error {
  override name = 'KeysUnavailable';
}

type LocalKeys = ReturnType<typeof createLocalJWKSet>;

/** @param origin the origin of the broker */
export function createKeys(origin: string, fetch: typeof globalThis.fetch): JWTVerifyGetKey {
  let keys: { find: LocalKeys; fetchedAt: Instant } | undefined;
  let asked: { at: Instant; answer: Promise<void> } | undefined;

  async function ask(): Promise<void> {
    const begun = instant();
    const url = `${origin}/jwks`;
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) });
    const set = readObject(await boundedText(response));
    if (response.status !== 200 || !isKeySet(set)) throw new Error(`${url} answers without keys`);
    keys = { find: createLocalJWKSet(set), fetchedAt: begun };
  }

  /** Resolves or rejects with the latest attempt, which may be one of before. */
  async function refresh(): Promise<void> {
    const now = instant();
    if (!asked || ageOf(asked.at, now) >= PAUSE_MS) asked = { at: now, answer: ask() };
    await asked.answer.catch((cause: unknown) => {
      throw new KeysUnavailable('The keys of the broker could not be fetched.', { cause });
    });
  }

  return async (header, token) => {
    if (!keys || ageOf(keys.fetchedAt, instant()) >= KEPT_MS) await refresh();
    try {
      return await found(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      await refresh();
      return found(header, token);
    }
  };

  async function found(...[header, token]: Parameters<LocalKeys>) {
    if (!keys) throw new KeysUnavailable('The keys of the broker were not fetched yet.');
    return keys.find(header, token);
  }
}

const isKeySet = (value: unknown): value is JSONWebKeySet =>
  isObject(value) && Array.isArray(value['keys']) && value['keys'].every(isObject);
