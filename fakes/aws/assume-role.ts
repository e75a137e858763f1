/** STS AssumeRole by a session, which is role chaining. The new session inherits transitive tags and the source identity. */
import { actionsOf, assumeContext, readAssumeWish, type AssumeWish } from './assume.js';
import { accessDenied, validationError } from './aws-error.js';
import type { Context } from './condition.js';
import { permissionVerdict, trustVerdict } from './evaluate.js';
import type { Result, SignedCall } from './operation.js';
import type { Parameters } from './parameters.js';
import { packedPercent } from './session-policy.js';
import { checkName, checkTags, inheritTags, type SessionTags } from './session-tags.js';
import { assumedFields, openSession, sessionArn, sessionContext } from './session.js';

const OPERATION = 'AssumeRole';
/** The longest duration of a chained session, whatever the role allows. */
const CHAINED_SECONDS_MAX = 3_600;

export function assumeRole(call: SignedCall): Result {
  const { account, parameters, caller } = call;
  const wish = readAssumeWish(account, parameters, OPERATION);
  if (wish.durationSeconds > CHAINED_SECONDS_MAX)
    throw validationError('The requested DurationSeconds exceeds the 1 hour session limit for role chaining');
  const own = readTags(parameters);
  const tags = inheritTags(caller.tags, own);
  const sourceIdentity = readSourceIdentity(parameters, caller.sourceIdentity);
  parameters.finish();
  const context = assumeContext(wish.roleSessionName, own, sourceIdentity);
  for (const action of actionsOf(OPERATION, tags, sourceIdentity)) {
    if (!mayAssume(call, wish, action, context)) throw accessDenied(sessionArn(caller, account), action, wish.role.arn);
  }
  const packed = packedPercent(wish.policy, tags);
  const session = openSession(account, { ...wish, tags, sourceIdentity, chainedFrom: caller.id });
  return assumedFields(session, account, packed);
}

/**
 * Within one account, a trust policy can permit what the caller's own policies do not allow. How far depends on the principal
 * that it names. The session: no implicit deny counts. The role: implicit denies of the role do not count. The account: all
 * implicit denies count. An explicit deny always counts.
 */
function mayAssume({ account, caller }: SignedCall, { role }: AssumeWish, action: string, wished: Context): boolean {
  const at = account.now();
  const context = { ...sessionContext(caller, at), ...wished };
  const request = { action, resource: role.arn, context };
  const identity = permissionVerdict(caller.role.inForce(at), request);
  const session = caller.policy ? permissionVerdict(caller.policy.statements, request) : 'allow';
  const bySession = [sessionArn(caller, account)];
  const byRole = [caller.role.arn];
  const byAccount = [`arn:aws:iam::${account.id}:root`, account.id];
  const trust = (principals: readonly string[]) =>
    trustVerdict(role.trust, { action, type: 'AWS', principals, context });
  if ([identity, session, trust([...bySession, ...byRole, ...byAccount])].includes('explicit-deny')) return false;
  if (trust(bySession) === 'allow') return true;
  if (trust(byRole) === 'allow') return session === 'allow';
  return trust(byAccount) === 'allow' && session === 'allow' && identity === 'allow';
}

function readTags(parameters: Parameters): SessionTags {
  const keys = parameters.list('Tags', '.Key');
  const values = parameters.list('Tags', '.Value');
  if (keys.length !== values.length) throw validationError('a session tag lacks its key or value');
  return checkTags(
    keys.map((key, index) => [key, values[index] ?? '']),
    parameters.list('TransitiveTagKeys'),
  );
}

/** A source identity cannot be changed once it is set. */
function readSourceIdentity(parameters: Parameters, inherited: string | undefined): string | undefined {
  const wished = parameters.optional('SourceIdentity');
  if (wished !== undefined) checkName('sourceIdentity', wished);
  if (inherited !== undefined && wished !== undefined && wished !== inherited)
    throw validationError('the calling session has another source identity, which cannot be changed');
  return inherited ?? wished;
}
