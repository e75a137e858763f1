/**
 * The session policy: what one session may do at most, and when it ends. STS gives no session for less than 900 seconds, so
 * a Deny of everything from the deadline on ends it earlier. A condition on the Allow would not do: a resource policy that
 * names the session can allow what the session policy merely does not allow, but an explicit Deny in any policy is final.
 */
import { normalise, pairsOf, type Access } from '../../domain/access.js';
import { identifierOfPath, pathOfIdentifier, WHOLE_ROLE } from '../../targets/aws.js';
import { toInstant } from './context.js';

/** STS: "The plaintext that you use for both inline and managed session policies can't exceed 2,048 characters." */
export const SESSION_POLICY_CHARACTERS = 2_048;

/** @param deadline Milliseconds. From this whole second on nothing is allowed. */
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

/**
 * Returns the statements that allow the access. The same access always gives the same text, in whatever order it was asked
 * for.
 */
function allowances(access: readonly Access[]): object[] {
  if (isWholeRole(access)) return [{ Effect: 'Allow', Action: '*', Resource: '*' }];
  const resourcesByActions = new Map<string, string[]>();
  for (const { path, actions } of normalise(access)) {
    const set = actions.toSorted().join(' ');
    // Resources share a statement only if their actions are equal. Otherwise the statement would allow each action on each resource.
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
 * Throws where AWS would read the identifier as more than the path says. AWS's `*` matches slashes too, so only `*` for
 * everything and a last `/*` are allowed. A `?` is a wildcard of AWS, and `${…}` is a policy variable: both are refused.
 */
function identifierOf(path: string): string {
  const identifier = identifierOfPath(path);
  const isExact = /^[A-Za-z0-9._~@+=,:/-]+$/.test(identifier.replace(/\/\*$/, ''));
  if (pathOfIdentifier(identifier) !== path || !(isExact || identifier === '*'))
    throw new Error('a path has no equal among AWS identifiers');
  return identifier;
}

const brief = (items: readonly string[]): string | readonly string[] => (items.length === 1 ? items.join() : items);
