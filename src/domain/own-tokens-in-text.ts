/**
 * The broker's own tokens and deferral codes in a text that somebody found, in whatever they are wrapped: a wrapped one that is not
 * found would stay alive. Whether a candidate is one, its signature or the record of its approval decides.
 */
import { DEFERRAL_CODE } from './deferral-code.js';
import { unwrapped } from './unwrapped.js';

/**
 * A JWS that this broker signed: its header begins with `{"alg":"ES25`, its payload is a JSON object, and its signature has exactly
 * 86 characters, so that whatever stands right behind it is no part of it. The header is bounded, so the work grows with the length of
 * the text alone.
 */
const SIGNED = String.raw`eyJhbGciOiJFUzI1[\w-]{1,253}\.eyJ[\w-]+\.[\w-]{86}`;

/** The lookahead finds candidates that begin within each other. */
const CANDIDATE = new RegExp(`(?=(${SIGNED}|${DEFERRAL_CODE}))`, 'g');

/** A text has few tokens in it. Each candidate costs a verification, and a stranger chooses the text. */
export const CANDIDATES_MOST = 8;

/**
 * Returns what may be tokens and codes of this broker, as they were before somebody wrapped them. If there are more than CANDIDATES_MOST,
 * it returns one more than that: the caller must not say that it has looked at all.
 */
export function ownTokensIn(text: string): string[] {
  const found = new Set<string>();
  // The text as it is, too: what stands around a token may read like an escape together with it (`%2` before `eyJ`).
  for (const form of new Set([text, ...unwrapped(text)])) {
    for (const [, token = ''] of form.matchAll(CANDIDATE)) {
      found.add(token);
      if (found.size > CANDIDATES_MOST) return [...found];
    }
  }
  return [...found];
}
