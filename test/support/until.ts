/** Waiting for a condition, which tests do in place of sleeping. */
import { setTimeout as pause } from 'node:timers/promises';

/** Resolves when the condition holds. Rejects with `otherwise` when it does not within ten seconds, or as long as is given. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  otherwise: string,
  patienceMs = 10_000,
): Promise<void> {
  const patience = AbortSignal.timeout(patienceMs);
  while (!(await condition())) {
    if (patience.aborted) throw new Error(otherwise);
    await pause(10);
  }
}
