/** A session of a role, as AssumeRole and AssumeRoleWithWebIdentity create it. Every request is decided by it. */
import { randomBytes } from 'node:crypto';
import type { Account } from './account.js';
import type { Context } from './condition.js';
import { toInstant } from './grammar.js';
import type { Permission } from './policy-document.js';
import { randomId } from './random-id.js';
import type { Role } from './role.js';
import type { SessionTags } from './session-tags.js';
import type { IdentityClaims } from './web-identity.js';
import type { Fields } from './xml.js';

export interface SessionWish {
  role: Role;
  roleSessionName: string;
  durationSeconds: number;
  tags: SessionTags;
  sourceIdentity: string | undefined;
  policy: SessionPolicy | undefined;
  /** The claims of the token that the session was made from. The token itself is not kept. */
  claims?: IdentityClaims;
  /** The access key id of the session that assumed the role. */
  chainedFrom?: string;
}

export interface SessionPolicy {
  text: string;
  statements: readonly Permission[];
}

export interface Session extends SessionWish {
  id: string;
  secretAccessKey: string;
  sessionToken: string;
  /** Milliseconds since the epoch, in whole seconds as AWS counts them. */
  issuedAt: number;
  expiresAt: number;
}

export function openSession(account: Account, wish: SessionWish): Session {
  const issuedAt = Math.floor(account.now() / 1_000) * 1_000;
  const session: Session = {
    ...wish,
    id: randomId('ASIA'),
    secretAccessKey: randomBytes(30).toString('base64'),
    sessionToken: randomBytes(96).toString('base64'),
    issuedAt,
    expiresAt: issuedAt + wish.durationSeconds * 1_000,
  };
  account.sessions.set(session.id, session);
  return session;
}

export const sessionArn = ({ role, roleSessionName }: Session, account: Account): string =>
  `arn:aws:sts::${account.id}:assumed-role/${role.name}/${roleSessionName}`;

/** The condition keys that every request of this session has. */
export function sessionContext(session: Session, at: number): Context {
  const { role, tags, sourceIdentity } = session;
  return {
    ...Object.fromEntries([...tags.values].map(([key, value]) => [`aws:PrincipalTag/${key}`, value])),
    'aws:CurrentTime': toInstant(at),
    'aws:TokenIssueTime': toInstant(session.issuedAt),
    'aws:PrincipalArn': role.arn,
    'aws:SourceIdentity': sourceIdentity,
    'aws:userid': `${role.id}:${session.roleSessionName}`,
  };
}

/** The part of the answer that all operations to assume a role share. */
export function assumedFields(session: Session, account: Account, packedPercent: number): Fields {
  return {
    Credentials: {
      AccessKeyId: session.id,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: toInstant(session.expiresAt),
    },
    AssumedRoleUser: {
      AssumedRoleId: `${session.role.id}:${session.roleSessionName}`,
      Arn: sessionArn(session, account),
    },
    SourceIdentity: session.sourceIdentity,
    PackedPolicySize: packedPercent,
    SessionTokenUtilization: packedPercent,
    SessionTokenSize: session.sessionToken.length,
  };
}
