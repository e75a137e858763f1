/** Logs each change of readiness once, with what fails and why. */
import type { Logger } from '../telemetry/log.js';
import { statusOf } from './check.js';
import type { Readiness } from './readiness.js';

/** Returns `readiness`, which logs a line whenever another set of checks fails than at the call before. */
export function loggedReadiness(readiness: Readiness, log: Pick<Logger, 'info' | 'warn'>): Readiness {
  let before: string | undefined;
  return async () => {
    const checks = await readiness();
    const failing = checks.filter(({ ok }) => !ok);
    // Reasons hold numbers that differ at every call, so they do not decide whether something changed.
    const now = failing.map(({ name }) => name).join();
    if (now !== before) {
      before = now;
      const status = statusOf(checks);
      if (status === 'ready') log.info('ready');
      else log.warn({ failing: Object.fromEntries(failing.map(({ name, reason }) => [name, reason])) }, status);
    }
    return checks;
  };
}
