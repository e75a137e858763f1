/** What a test can see that no caller of AWS could. It contains no secret of a session and no token. */
import type { Account } from './account.js';
import { may, type AccessRequest, type Decision } from './may.js';
import type { PolicyDocument } from './policy-document.js';
import type { PolicyWrite } from './role.js';
import type { Session } from './session.js';
import type { IdentityClaims } from './web-identity.js';

export interface Inspection {
  /** Every session that was ever made, oldest first. */
  sessions(): SessionView[];
  /** The inline policies of a role, by name, as last written. The role is given by its ARN or name. */
  policyOf(role: string): Record<string, PolicyDocument>;
  /** Each PutRolePolicy and DeleteRolePolicy of a role that succeeded, in order. The role is given by its ARN or name. */
  writes(role: string): readonly PolicyWrite[];
  /** The number of calls of an operation, successful or not. */
  calls(operation: string): number;
  /** Whether a request of this session would be allowed. */
  may(accessKeyId: string, request: AccessRequest): Decision;
}

export interface SessionView {
  /** The access key id. */
  id: string;
  /** ARN. */
  role: string;
  roleSessionName: string;
  tags: Record<string, string>;
  transitiveTagKeys: readonly string[];
  sourceIdentity: string | undefined;
  sessionPolicy: PolicyDocument | undefined;
  /** Milliseconds since the epoch, in whole seconds. */
  issuedAt: number;
  expiresAt: number;
  /** The subject of the token that the session was made from; undefined for a chained session. */
  subject: string | undefined;
  claims: IdentityClaims | undefined;
  /** The access key id of the session that made this one by AssumeRole. */
  chainedFrom: string | undefined;
}

export function inspect(account: Account, calls: ReadonlyMap<string, number>): Inspection {
  const roleOf = (wanted: string) => {
    const role = account.roles.find(({ arn, name }) => arn === wanted || name === wanted);
    if (!role) throw new Error(`there is no role ${wanted}`);
    return role;
  };
  return {
    sessions: () => [...account.sessions.values()].map(view),
    policyOf: (role) =>
      Object.fromEntries([...roleOf(role).written()].map(([name, text]) => [name, JSON.parse(text) as PolicyDocument])),
    writes: (role) => roleOf(role).writes,
    calls: (operation) => calls.get(operation) ?? 0,
    may: (accessKeyId, request) => may(account, accessKeyId, request),
  };
}

const view = ({ role, tags, policy, ...session }: Session): SessionView => ({
  id: session.id,
  role: role.arn,
  roleSessionName: session.roleSessionName,
  tags: Object.fromEntries(tags.values),
  transitiveTagKeys: tags.transitive,
  sourceIdentity: session.sourceIdentity,
  sessionPolicy: policy && (JSON.parse(policy.text) as PolicyDocument),
  issuedAt: session.issuedAt,
  expiresAt: session.expiresAt,
  subject: session.claims?.sub,
  claims: session.claims,
  chainedFrom: session.chainedFrom,
});
