/** Waiting for a condition, which tests do in place of sleeping. */
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Resolves when the condition holds. Rejects with `otherwise` when it does not within a minute. On a machine that does much
 * else, what takes a second otherwise has taken half of that; a test that passes waits no longer than it must.
 */
export async function until(condition: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
  const patience = AbortSignal.timeout(60_000);
  while (!(await condition())) {
    if (patience.aborted) throw new Error(otherwise);
    await pause(10);
  }
}
