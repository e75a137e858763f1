/** A check: one condition of this broker's health, by name, with its reason if it does not hold. */

export interface Check {
  name: string;
  ok: boolean;
  /** A sentence for operators, without secrets. Absent if the condition holds. */
  reason?: string;
  /** The broker is ready even if this condition does not hold. */
  degrades?: true;
}

export const check = (name: string, ok: boolean, reason: string): Check => (ok ? { name, ok } : { name, ok, reason });

/** Returns a check like `check` does, for a condition without which the broker serves all the same. */
export const degradingCheck = (name: string, ok: boolean, reason: string): Check => ({
  ...check(name, ok, reason),
  degrades: true,
});

type Status = 'ready' | 'degraded' | 'not ready';

/** Returns what all checks together say of the broker. */
export function statusOf(checks: readonly Check[]): Status {
  const failing = checks.filter(({ ok }) => !ok);
  if (failing.length === 0) return 'ready';
  return failing.every(({ degrades }) => degrades) ? 'degraded' : 'not ready';
}
