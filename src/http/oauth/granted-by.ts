/** What an ID-JAG grants, translated into access: it bounds what can be asked for by it, and under a task that it opens. */
import { pairsOf, type Access, type TargetAccess } from '../../domain/access.js';
import { BrokerError } from '../../domain/errors.js';
import { HARD_LIMITS } from '../../domain/limits.js';
import type { IdJag } from '../../identity/id-jag.js';
import { kindOfTarget } from '../../targets/kinds.js';
import type { NamedTarget } from '../../targets/names.js';
import { accessFromObjects, accessFromScope, type ScopeNames } from '../../targets/requested-access.js';

/**
 * Returns the most that can be had by the ID-JAG; undefined where it names no access. Its scope is read as one for this target:
 * what such a scope would mean at another target is not granted. Details that cannot be read whole might say less than is read, so
 * they refuse it.
 */
export function grantedBy({ scope, authorizationDetails }: IdJag, target: NamedTarget): TargetAccess[] | undefined {
  if (scope === undefined && authorizationDetails === undefined) return undefined;
  const { resource, scopes } = target;
  const named = scope !== undefined && kindOfTarget(resource).hasScope ? accessOf(scope, scopes) : [];
  const granted = [
    ...named.map((access) => ({ target: resource, ...access })),
    ...(authorizationDetails === undefined ? [] : accessOfDetails(authorizationDetails)),
  ];
  if (pairsOf(granted).length > HARD_LIMITS.pairsPerRequest) throw tooMuch();
  return granted;
}

/** Words that mean nothing at this target, such as `openid`, grant nothing. */
function accessOf(scope: string, names: ScopeNames | undefined): Access[] {
  const tokens = scope.split(' ', HARD_LIMITS.pairsPerRequest + 1);
  if (tokens.length > HARD_LIMITS.pairsPerRequest) throw tooMuch();
  return tokens.flatMap((token) => unlessRefused(() => accessFromScope(token, names)) ?? []);
}

function accessOfDetails(details: readonly unknown[]): TargetAccess[] {
  const access = unlessRefused(() => accessFromObjects(details));
  if (access) return access;
  throw new BrokerError('invalid_grant', 'The assertion has authorization_details that cannot be read here.');
}

function unlessRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof BrokerError) return undefined;
    throw error;
  }
}

const tooMuch = () =>
  new BrokerError(
    'invalid_grant',
    `The assertion names more than ${HARD_LIMITS.pairsPerRequest} pairs of path and action, the most that is read.`,
  );
