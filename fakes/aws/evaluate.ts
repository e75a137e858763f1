/** The evaluation logic of IAM: an explicit deny in any policy is final, and a session policy can only take away permissions. */
import { matchesCondition, type Context } from './condition.js';
import { parsePolicy, type Permission, type PolicyDocument, type Trust } from './policy-document.js';
import { matchesWildcard } from './wildcard.js';

export type Verdict = 'allow' | 'explicit-deny' | 'implicit-deny';

export interface PolicyRequest {
  action: string;
  /** An ARN, or `*` for actions that have no resource. */
  resource: string;
  context: Context;
}

export interface Question {
  /** All policies of the role. */
  identity: readonly PolicyDocument[];
  session?: PolicyDocument | undefined;
  request: PolicyRequest;
}

/** Throws for anything it does not understand, even in statements that do not apply to this request. */
export function evaluate({ identity, session, request }: Question): Verdict {
  return evaluateParsed({ identity: identity.flatMap(parsePolicy), session: session && parsePolicy(session), request });
}

export function evaluateParsed(question: {
  identity: readonly Permission[];
  session: readonly Permission[] | undefined;
  request: PolicyRequest;
}): Verdict {
  const { identity, session, request } = question;
  const verdicts = [permissionVerdict(identity, request), session ? permissionVerdict(session, request) : 'allow'];
  if (verdicts.includes('explicit-deny')) return 'explicit-deny';
  return verdicts.includes('implicit-deny') ? 'implicit-deny' : 'allow';
}

export function permissionVerdict(statements: readonly Permission[], request: PolicyRequest): Verdict {
  return verdict(
    statements.filter(
      (statement) =>
        coversAction(statement, request.action) &&
        statement.Resource.some((pattern) => matchesWildcard(pattern, request.resource)) &&
        matchesCondition(statement.Condition ?? {}, request.context),
    ),
  );
}

/** The verdict of a trust policy for a caller that has any of these principals. */
export function trustVerdict(
  statements: readonly Trust[],
  request: { action: string; type: 'AWS' | 'Federated'; principals: readonly string[]; context: Context },
): Verdict {
  const named = ({ Principal }: Trust): readonly string[] =>
    request.type === 'AWS'
      ? 'AWS' in Principal
        ? Principal.AWS
        : []
      : 'Federated' in Principal
        ? Principal.Federated
        : [];
  return verdict(
    statements.filter(
      (statement) =>
        coversAction(statement, request.action) &&
        named(statement).some((name) => name === '*' || request.principals.includes(name)) &&
        matchesCondition(statement.Condition ?? {}, request.context),
    ),
  );
}

function verdict(matching: readonly { Effect: 'Allow' | 'Deny' }[]): Verdict {
  if (matching.some(({ Effect }) => Effect === 'Deny')) return 'explicit-deny';
  return matching.length > 0 ? 'allow' : 'implicit-deny';
}

function coversAction(statement: Permission | Trust, action: string): boolean {
  const matches = (pattern: string) => matchesWildcard(pattern.toLowerCase(), action.toLowerCase());
  return 'NotAction' in statement ? !statement.NotAction.some(matches) : statement.Action.some(matches);
}
