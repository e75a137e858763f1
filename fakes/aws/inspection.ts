/** What a test may look at that no caller of AWS could see. No secret of a session, and no token, is among it. */
import type { Account } from './account.js';
import { may, type AccessRequest, type Decision } from './may.js';
import type { PolicyDocument } from './policy-document.js';
import type { PolicyWrite } from './role.js';
import type { Session } from './session.js';
import type { IdentityClaims } from './web-identity.js';

export interface Inspection {
  /** Every session there ever was, in order of birth. */
  sessions(): SessionView[];
  /** Takes the ARN or name of a role. Inline policies by name, as last written. */
  policyOf(role: string): Record<string, PolicyDocument>;
  /** Takes the ARN or name of a role. Each PutRolePolicy and DeleteRolePolicy that was obeyed, in order. */
  writes(role: string): readonly PolicyWrite[];
  /** How often an operation was called, whatever the outcome. */
  calls(operation: string): number;
  /** Whether a request of this session would pass. */
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
  /** Of the token it was made from; undefined for a chained session. */
  subject: string | undefined;
  claims: IdentityClaims | undefined;
  /** The access key id of the session that made it by AssumeRole. */
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
