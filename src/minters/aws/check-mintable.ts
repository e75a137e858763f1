/** What the broker checks before it asks AWS: whether a credential can be minted as it is. It is never trimmed to fit. */
import type { AwsTarget } from '../../config/target-schema.js';
import { pairsOf, pathProblem, type Access } from '../../domain/access.js';
import type { Credential } from '../../domain/credential.js';
import { BrokerError } from '../../domain/errors.js';
import {
  detailProblem,
  identifierOfPath,
  isWholeRole,
  pathOfIdentifier,
  SESSION_SECONDS_LEAST,
  WHOLE_ROLE,
} from '../../targets/aws.js';
import { SESSION_POLICY_CHARACTERS, sessionPolicy } from './session-policy.js';

export function checkMintable({ access, issuedAt, expiresAt }: Credential, target: AwsTarget): void {
  const problem = accessProblem(access, target);
  if (problem !== undefined) throw new BrokerError('invalid_authorization_details', problem, { retry: 'with-less' });
  const { length } = sessionPolicy(access, expiresAt);
  if (length > SESSION_POLICY_CHARACTERS) {
    const text = `The session policy would have ${length} characters; AWS takes ${SESSION_POLICY_CHARACTERS}.`;
    throw new BrokerError('invalid_target', text, { retry: 'with-less' });
  }
  if (expiresAt - issuedAt < SESSION_SECONDS_LEAST * 1_000)
    throw new BrokerError('invalid_request', `A session of AWS lasts ${SESSION_SECONDS_LEAST} seconds or more.`);
}

/**
 * Returns what is wrong with the access; undefined if nothing is. Not all access comes from authorization details,
 * which were checked when they were read. So all of it is checked here again: a path that AWS cannot express exactly would
 * allow more there than it says.
 */
function accessProblem(access: readonly Access[], { aws, resource }: AwsTarget): string | undefined {
  if (access.some(({ actions }) => isWholeRole(actions))) {
    if (!aws.wholeRole) return `This role cannot be asked for as it is ("${WHOLE_ROLE}").`;
    return pairsOf(access).length > 1 ? `"${WHOLE_ROLE}" stands alone.` : undefined;
  }
  for (const { path, actions } of access) {
    const identifier = identifierOfPath(path);
    const problem =
      pathProblem(path) === undefined ? detailProblem(resource, identifier, actions) : 'Not a resource path.';
    if (problem !== undefined) return problem;
    if (pathOfIdentifier(identifier) !== path)
      return 'In an ARN "*" stands for all below: a single segment has no wildcard.';
  }
  return undefined;
}
