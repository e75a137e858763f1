import { elapsed } from '../elapsed.js';
import type { IdentitySource } from '../request.js';

/** Such tokens live for five minutes or more. */
const KEPT_MS = 120_000;

/**
 * Returns a source that asks every two minutes, however many want a token at once: for issuers that limit how often they are asked.
 * After a failure, and after a refusal by the broker, the next call asks again.
 */
export function kept(ask: () => Promise<string>): IdentitySource {
  let last: { token: Promise<string>; at: number } | undefined;
  const source = () => {
    if (last && elapsed() - last.at < KEPT_MS) return last.token;
    const asked = { token: ask(), at: elapsed() };
    last = asked;
    asked.token.catch(() => {
      if (last === asked) last = undefined;
    });
    return asked.token;
  };
  return Object.assign(source, { forget: () => (last = undefined) });
}
