/** A question to another engine that only shows whether it answers, and by which policies. */
import type { PolicyQuery } from '../query.js';
import type { DecisionPoint } from './decision-point.js';
import { lane } from './lane.js';
import { questionOf } from './question.js';

/** No issuer proves that name, so no policy has a reason to permit it this. */
export const PROBE: PolicyQuery = {
  principal: { kind: 'workload', id: 'mayfly:probe', issuer: 'mayfly', claims: {}, groups: [] },
  action: 'readRevocations',
  resource: { type: 'broker' },
  context: { kind: 'operate' },
};

const ONE = { connections: 1, questions: 1 };

/** Returns what is worth a note about an engine that answers. Rejects with `Unanswered` if it does not. */
export async function probeNote(point: DecisionPoint): Promise<string | undefined> {
  const once = lane({ ...ONE, ofParty: ONE });
  const { allow, named } = await once.take(PROBE.principal.id, (send) => point.ask(questionOf(PROBE, new Map()), send));
  if (allow) return `${point.place} lets a workload read revocations that does not exist: does it permit everything?`;
  if (named === undefined)
    return `${point.place} does not say which policies it decides by: the digest of decisions stays when they change`;
  return undefined;
}
