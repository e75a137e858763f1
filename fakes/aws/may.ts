/** Whether a request of a session is allowed at a given time. */
import type { Account } from './account.js';
import type { Context } from './condition.js';
import { evaluateParsed, type Verdict } from './evaluate.js';
import { sessionContext, type Session } from './session.js';

/** `expired`: the session itself is over, whatever any policy says. `unknown`: there was no such session at that time. */
export type Decision = Verdict | 'expired' | 'unknown';

export interface AccessRequest {
  /** The action as policies name it: `s3:GetObject`. */
  action: string;
  resource: string;
  /** Milliseconds since the epoch; default: now. */
  at?: number;
  /** Condition keys beside those that the session has. */
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
