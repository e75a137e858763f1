/** Whether a request of a session passes at a given moment. */
import type { Account } from './account.js';
import type { Context } from './condition.js';
import { evaluateParsed, type Verdict } from './evaluate.js';
import { sessionContext, type Session } from './session.js';

/** `expired`: the session's own end, which has nothing to do with any policy. `unknown`: no such session at that moment. */
export type Decision = Verdict | 'expired' | 'unknown';

export interface AccessRequest {
  /** As policies name it: `s3:GetObject`. */
  action: string;
  resource: string;
  /** Milliseconds since the epoch; default: now. */
  at?: number;
  /** Added to what the session itself brings along. */
  context?: Context;
}

export function may(account: Account, accessKeyId: string, request: AccessRequest): Decision {
  const session = account.sessions.get(accessKeyId);
  return session ? decide(session, { ...request, at: request.at ?? account.now() }) : 'unknown';
}

export function decide(session: Session, request: AccessRequest & { at: number }): Decision {
  const { action, resource, at } = request;
  if (at < session.issuedAt) return 'unknown';
  if (at >= session.expiresAt) return 'expired';
  if (action.toLowerCase() === 'sts:getcalleridentity') return 'allow';
  return evaluateParsed({
    identity: session.role.inForce(at),
    session: session.policy?.statements,
    request: { action, resource, context: { ...request.context, ...sessionContext(session, at) } },
  });
}
