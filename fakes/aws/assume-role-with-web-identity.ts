/** STS AssumeRoleWithWebIdentity. The request is not signed: the token is the proof, and only the role's trust policy permits it. */
import { actionsOf, assumeContext, notAuthorized, readAssumeWish } from './assume.js';
import { trustVerdict } from './evaluate.js';
import { toInstant } from './grammar.js';
import type { Call, Result } from './operation.js';
import { packedPercent } from './session-policy.js';
import { assumedFields, openSession } from './session.js';
import { verifyWebIdentity } from './web-identity.js';

const OPERATION = 'AssumeRoleWithWebIdentity';

export async function assumeRoleWithWebIdentity({ account, parameters }: Call): Promise<Result> {
  const token = parameters.required('WebIdentityToken');
  const wish = readAssumeWish(account, parameters, OPERATION);
  parameters.finish();
  const { provider, claims, tags, sourceIdentity } = await verifyWebIdentity(account, token);
  const context = {
    ...assumeContext(wish.roleSessionName, tags, sourceIdentity),
    [`${provider.name}:aud`]: claims.aud,
    [`${provider.name}:sub`]: claims.sub,
    'aws:CurrentTime': toInstant(account.now()),
  };
  for (const action of actionsOf(OPERATION, tags, sourceIdentity)) {
    const caller = { type: 'Federated', principals: [provider.arn] } as const;
    if (trustVerdict(wish.role.trust, { action, ...caller, context }) !== 'allow') throw notAuthorized(action);
  }
  const packed = packedPercent(wish.policy, tags);
  const session = openSession(account, { ...wish, tags, sourceIdentity, claims });
  return {
    ...assumedFields(session, account, packed),
    Provider: provider.arn,
    Audience: claims.aud,
    SubjectFromWebIdentityToken: claims.sub,
  };
}
