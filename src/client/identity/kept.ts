import type { IdentitySource } from '../request.js';

/** Such tokens live for five minutes or more. */
const KEPT_MS = 120_000;

/** Returns a source that asks at most every two minutes: for issuers that limit how often they are asked. */
export function kept(ask: () => Promise<string>): IdentitySource {
  let last: { token: string; at: number } | undefined;
  return async () => {
    if (!last || performance.now() - last.at >= KEPT_MS) {
      const at = performance.now();
      last = { token: await ask(), at };
    }
    return last.token;
  };
}
