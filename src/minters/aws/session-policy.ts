/**
 * The session policy: what one session may do at most, and when it ends. AWS keeps no session for less than 900 seconds, so
 * the deadline is a Deny of everything. A Deny, not a condition on the Allow: a resource policy that names the session is not
 * limited by what a session policy merely fails to allow, but an explicit Deny in any policy is final.
 */
import { normalise, pairsOf, type Access } from '../../domain/access.js';
import { identifierOfPath, pathOfIdentifier, WHOLE_ROLE } from '../../targets/aws.js';
import { toInstant } from './instant.js';

/** STS: "The plaintext that you use for both inline and managed session policies can't exceed 2,048 characters." */
export const SESSION_POLICY_CHARACTERS = 2_048;

/** @param deadline Milliseconds; from its whole second on nothing is allowed. */
export const sessionPolicy = (access: readonly Access[], deadline: number): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      ...allowances(access),
      {
        Effect: 'Deny',
        Action: '*',
        Resource: '*',
        Condition: { DateGreaterThanEquals: { 'aws:CurrentTime': toInstant(deadline) } },
      },
    ],
  });

/** The same access always reads the same, in whatever order it was asked. */
function allowances(access: readonly Access[]): object[] {
  if (isWholeRole(access)) return [{ Effect: 'Allow', Action: '*', Resource: '*' }];
  const resourcesByActions = new Map<string, string[]>();
  for (const { path, actions } of normalise(access)) {
    const set = actions.toSorted().join(' ');
    // Resources share a statement only where their actions are the very same: anything more would be a product that widens.
    resourcesByActions.set(set, [...(resourcesByActions.get(set) ?? []), identifierOf(path)]);
  }
  return [...resourcesByActions]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([set, resources]) => ({
      Effect: 'Allow',
      Action: brief(set.split(' ')),
      Resource: brief(resources.toSorted()),
    }));
}

function isWholeRole(access: readonly Access[]): boolean {
  const pairs = pairsOf(access);
  if (!pairs.some(({ action }) => action === WHOLE_ROLE)) return false;
  if (pairs.length > 1) throw new Error(`${WHOLE_ROLE} stands beside other access`);
  return true;
}

/**
 * Nothing gets out that AWS would read as more than it means here: of wildcards only all there is, or all below; a star for one
 * segment, a question mark or a policy variable never.
 */
function identifierOf(path: string): string {
  const identifier = identifierOfPath(path);
  const isExact = /^[A-Za-z0-9._~@+=,:/-]+$/.test(identifier.replace(/\/\*$/, ''));
  if (pathOfIdentifier(identifier) !== path || !(isExact || identifier === '*'))
    throw new Error('a path has no equal among AWS identifiers');
  return identifier;
}

const brief = (items: readonly string[]): string | readonly string[] => (items.length === 1 ? items.join() : items);
