/** Permission to revoke, to lift, and to decide about what waits: for one subject, or for each of many. */
import { BrokerError } from '../domain/errors.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import type { OperateContext } from '../policy/query.js';
import { answersAhead } from './answers-ahead.js';
import { assertLiveCaller } from './caller.js';
import { Permission, type Permitted } from './permission.js';
import { decideOnBroker, permit, type PermitDeps } from './permit.js';
import { permitsOrUnavailable } from './permits-or-unavailable.js';

/**
 * Returns what would be revoked, or lifted. The question is derived from the subject, so permission for one subject cannot be
 * carried to another.
 */
type RevocationOf<Subject> = (subject: Subject) => NonNullable<OperateContext['revocation']>;

/** Policy may permit one selector or effect and not another. */
export const permitRevocation = <Subject>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  subject: Subject,
  revocationOf: RevocationOf<Subject>,
): Promise<Permitted<'revoke', Subject>> =>
  permit(deps, { caller, verb: 'revoke', subject }, () =>
    decideOnBroker(deps, caller, 'revoke', { revocation: revocationOf(subject) }),
  );

/** A call about many subjects takes so many, so that it has an end; and so many of them are under way at once. */
export const MANY = { most: 500, concurrency: 16 } as const;

interface Many<Subject> {
  subjects: readonly Subject[];
  /** What a refusal calls one. */
  nameOf: (subject: Subject) => string;
  revocationOf: RevocationOf<Subject>;
}

/**
 * Returns permission for each of the subjects of which policy gives it. The others are left out, and are no refusal of the request.
 * Where policy gives no answer about one of them it throws and names it, and nothing is done to any: nobody takes for done what is not.
 * One look at the log says that the caller is alive: it is the same caller for all of them.
 */
export async function permittedAmong<Subject>(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  { subjects, nameOf, revocationOf }: Many<Subject>,
): Promise<Permitted<'revoke', Subject>[]> {
  const permitted: Permitted<'revoke', Subject>[] = [];
  await assertLiveCaller(deps, caller);
  const ask = async (subject: Subject): Promise<boolean> => {
    try {
      return permitsOrUnavailable(await decideOnBroker(deps, caller, 'revoke', { revocation: revocationOf(subject) }));
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
      throw new BrokerError(
        error.code,
        `${error.message} Nothing was done: it is about ${nameOf(subject)}.`,
        error.details,
      );
    }
  };
  for await (const [subject, may] of answersAhead(subjects, deps.policy.atOnce, ask))
    if (may) permitted.push(new Permission(caller, 'revoke', subject));
  return permitted;
}
