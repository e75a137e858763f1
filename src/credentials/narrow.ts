/** Makes the credential from the request: never with more access or time than requested, and often with less. */
import type { Decision } from '../authorization/decide.js';
import type { Target } from '../config/schema.js';
import type { Access } from '../domain/access.js';
import type { Credential } from '../domain/credential.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { sessionCuts } from '../domain/hangs-on.js';
import { formatEpoch } from '../domain/liveness.js';
import type { Task } from '../domain/task.js';
import { secondsToWait, wholeSeconds } from '../domain/time.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { alive, readCredentials } from '../ledger/credentials.js';
import { latestCut } from '../ledger/revocation-log.js';
import { kindOf } from '../targets/kinds.js';
import { namesWithin } from '../targets/requested-access.js';
import type { Admission } from './admit.js';
import type { Deps } from './deps.js';
import { notSuperseded } from './session-cache.js';
import type { CredentialRequest } from './request.js';

/**
 * Returns the lifetime that policy is asked about: the requested one, within the limits of the configuration and of the
 * minter.
 */
export const requestedSeconds = (
  { lifetimes }: Deps['settings'],
  lifetimeSecondsMax: number,
  { lifetimeSeconds }: Pick<CredentialRequest, 'lifetimeSeconds'>,
): number => Math.min(lifetimeSeconds ?? lifetimes.credential, lifetimes.credentialMax, lifetimeSecondsMax);

/** Returns how long a credential may live on these proofs. Only an assertion, which can be used once, bounds it. */
export const secondsByProof = (
  { lifetimes }: Deps['settings'],
  proofs: readonly AuthenticatedCaller[],
  now: number,
): number =>
  Math.min(
    ...proofs.map(({ once, expiresAt }) =>
      once ? Math.max(1, Math.floor((expiresAt - now) / 1000) + lifetimes.pastAssertion) : Infinity,
    ),
  );

/** G2: a credential never outlives its task's deadline, nor the credential it is derived from. Both ends are whole seconds, as in the token. */
export function narrow(
  {
    now,
    seen,
    task,
    credentialId,
    access,
    from,
    subject,
    session,
    known,
    approval,
  }: Admission & Pick<Credential, 'approval'>,
  decision: Decision,
  target: Target,
): Credential {
  const { enforced } = kindOf(target.minter);
  const issuedAt = wholeSeconds(now);
  const latest = Math.min(task.deadline, from?.expiresAt ?? Infinity);
  const expiresAt = Math.min(issuedAt + decision.lifetimeSeconds * 1000, wholeSeconds(latest));
  if (expiresAt <= issuedAt) throw new BrokerError('invalid_grant', 'The task is at its deadline.');
  return defined({
    id: credentialId,
    task: task.id,
    kind: target.minter,
    target: target.resource,
    subject,
    session,
    access,
    ...grantedNames(target, access),
    issuedAt,
    expiresAt,
    epoch: formatEpoch(seen.epoch),
    state: enforced ? 'reserved' : 'active',
    ...known,
    approval,
    from: from && { credential: from.id, target: from.target },
    ...(enforced && {
      workloadSeq: latestCut(seen, sessionCuts(target.resource, task.workload.id)),
    }),
  });
}

/** A token carries the names of its target for what it grants, because stock servers compare names and not paths. */
function grantedNames({ resource, ...target }: Target, access: Access[]): Pick<Credential, 'scopes'> {
  const scopes = namesWithin('scopes' in target ? target.scopes : {}, resource, access);
  return scopes.length > 0 ? { scopes } : {};
}

/**
 * Returns the task without its expired credentials. Throws `slow_down` if there is no room for one more. The count is exact:
 * before it refuses, it looks up the listed credentials. Those that are dead, or that another has taken the place of, do not count.
 */
export async function makeRoom(
  { ledger, settings }: Pick<Deps, 'ledger' | 'settings'>,
  { task, now }: Admission,
  drafted: Credential,
): Promise<Task> {
  const most = task.shared ? settings.limits.credentialsPerSharedTask : settings.limits.credentialsPerTask;
  const unexpired = task.credentials.filter(({ expiresAt }) => expiresAt > now);
  if (unexpired.length < most) return { ...task, credentials: unexpired };

  const listed = unexpired.map(({ id }) => id);
  const found = (await readCredentials(ledger, listed)).map((credential) => ({ credential, task }));
  const living = (await alive(ledger, found)).map(({ credential }) => credential);
  const counted = notSuperseded(living, drafted, task);
  if (counted.length >= most) {
    const soonest = Math.min(...counted.map(({ expiresAt }) => expiresAt));
    throw new BrokerError('slow_down', `The task has ${most} live credentials, the most it may have.`, {
      retryAfterSeconds: secondsToWait(soonest - now),
    });
  }
  const ids = new Set(living.map(({ id }) => id));
  return { ...task, credentials: unexpired.filter(({ id }) => ids.has(id)) };
}
