/** What a credential is asked for, as the form of RFC 8693, and what the answer issues. */
import { ACCESS_TOKEN_TYPE, JWT_TYPE, TOKEN_EXCHANGE } from '../protocol/oauth.js';
import type { Issued } from './credential.js';
import { Unavailable, type ApprovalNeeded } from './errors.js';
import { textOf, type Members } from './request.js';

/** What a credential may do: scope texts such as `incident/4711:read`, or RFC 9396 objects. */
export type Access = string | readonly string[] | readonly object[];

/** What a credential is asked for. */
export interface Wish {
  /** Default: what the task was opened for at this target. */
  access?: Access;
  /** The broker gives no more than policy and its configuration allow. Default: theirs, five minutes if nobody changed it. */
  lifetimeSeconds?: number;
  /** Where people must agree first: wait for them. A function is told before which question they are asked. Default: throw ApprovalNeeded. */
  waitForApproval?: true | ((asked: ApprovalNeeded) => void);
}

export const wishOf = (wish: Access | Wish): Wish => (isWish(wish) ? wish : { access: wish });

const isWish = (wish: Access | Wish): wish is Wish => typeof wish === 'object' && !Array.isArray(wish);

/** Names and values of a form. */
export type Parameters = Readonly<Record<string, string>>;

export function parametersOf({ access, lifetimeSeconds }: Wish): Parameters {
  const lifetime = lifetimeSeconds === undefined ? {} : { lifetime: String(lifetimeSeconds) };
  if (access === undefined) return lifetime;
  const entries = typeof access === 'string' ? [access] : access;
  const isScope = entries.every((entry) => typeof entry === 'string');
  return {
    ...lifetime,
    ...(isScope ? { scope: entries.join(' ') } : { authorization_details: JSON.stringify(entries) }),
  };
}

/** Whose tokens are shown. With nothing beside its own, a workload asks for itself; else it acts for the person, or with what was handed on. */
interface Shown {
  workload: string;
  person?: string | undefined;
  handedOn?: string | undefined;
}

export function exchangeForm({ workload, person, handedOn }: Shown, parameters: Parameters): URLSearchParams {
  const subject = handedOn ?? person;
  return new URLSearchParams({
    grant_type: TOKEN_EXCHANGE,
    subject_token: subject ?? workload,
    subject_token_type: handedOn === undefined ? JWT_TYPE : ACCESS_TOKEN_TYPE,
    ...(subject !== undefined && { actor_token: workload, actor_token_type: JWT_TYPE }),
    ...parameters,
  });
}

/**
 * Returns what was issued, and under which task. Throws Unavailable for what is no credential: what is not printable must not become
 * a header, whose error would quote it.
 */
export function issuedIn(answer: Members): { issued: Issued; task: string } {
  const { access_token: token, expires_in: lifetimeSeconds, task_id: task, scope } = answer;
  const isCredential = typeof token === 'string' && /^[ -~]+$/.test(token);
  if (!isCredential || !(typeof lifetimeSeconds === 'number' && lifetimeSeconds > 0) || typeof task !== 'string') {
    throw new Unavailable('The answer of the broker has no access_token, expires_in and task_id.', { mayPass: false });
  }
  return { issued: { token, lifetimeSeconds, scope: textOf(scope) ?? '' }, task };
}
