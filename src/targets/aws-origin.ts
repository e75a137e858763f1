/**
 * For whom a session is, as AWS's trusted identity propagation reads it from the JWT: the person, or else the workload, the task
 * and its purpose. An OIDC provider with such a context makes condition keys of them (`aws:OriginIdentity/…`,
 * `aws:TransactionContext/IdentityProvider/…`), which service control policies and resource policies can ask for.
 */
import { cause } from '../domain/selector.js';
import type { Task } from '../domain/task.js';

/** The claims, by what they say. `aws setup --context` names them to AWS. */
export const ORIGIN_CLAIMS = {
  subject: 'mayfly_subject',
  subjectType: 'mayfly_subject_type',
  task: 'mayfly_task',
  purpose: 'mayfly_purpose',
} as const;

/** AWS takes no longer value. */
const CHARACTERS_MAX = 128;

/** Returns the claims of a session that is handed out. */
export function originClaims({
  id,
  workload,
  principal,
  purpose,
}: Pick<Task, 'id' | 'workload' | 'principal' | 'purpose'>) {
  const party = principal ?? workload;
  return {
    // A name that is cut could be another's name: its cause stands for it, as in the log.
    [ORIGIN_CLAIMS.subject]: party.id.length > CHARACTERS_MAX ? cause('principal', party.id) : party.id,
    [ORIGIN_CLAIMS.subjectType]: principal ? 'user' : 'workload',
    [ORIGIN_CLAIMS.task]: id,
    [ORIGIN_CLAIMS.purpose]: purpose
      .replaceAll(/[^A-Za-z0-9 _.:/=+@-]/g, '_')
      .slice(0, CHARACTERS_MAX)
      .trim(),
  };
}

/** Returns the claims of the broker's own session. A provider with a context takes no token without a subject. */
export const ownOriginClaims = (name: string) => ({
  [ORIGIN_CLAIMS.subject]: name,
  [ORIGIN_CLAIMS.subjectType]: 'workload',
});
