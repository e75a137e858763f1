/** The verdicts on the parts of one request as one answer. */
import { uniteNeeds } from '../domain/approval.js';
import { defined } from '../domain/defined.js';
import type { Verdict } from './policy-engine.js';

/** `lifetimeSeconds` is the shortest of all; absent where none has any. */
type JointVerdict = Omit<Verdict, 'secret'>;

/**
 * Returns what the verdicts say together. A denial, after which nothing more is asked, denies all; else what needs approvals waits for
 * all of them.
 */
export function joinVerdicts(verdicts: readonly Verdict[]): JointVerdict {
  const waiting = verdicts.filter(({ outcome }) => outcome === 'needs-approval');
  const last = verdicts.at(-1);
  // Whatever waits is no permit yet.
  const outcome = last?.outcome === 'permit' && waiting.length > 0 ? 'needs-approval' : (last?.outcome ?? 'deny');
  const lifetimes = verdicts.flatMap(({ lifetimeSeconds }) => lifetimeSeconds ?? []);
  return defined({
    outcome,
    because: last?.because,
    failed: last?.failed,
    ...(outcome === 'needs-approval' && {
      needs: uniteNeeds(waiting.flatMap(({ needs = [] }) => needs)),
      wantedBy: [...new Set(waiting.flatMap(({ wantedBy = [] }) => wantedBy))].sort(),
    }),
    policies: [...new Set(verdicts.flatMap(({ policies }) => policies))],
    digest: last?.digest ?? '',
    lifetimeSeconds: lifetimes.length > 0 ? Math.min(...lifetimes) : undefined,
  });
}
