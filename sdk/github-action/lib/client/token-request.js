/** What a credential is asked for, as the form of RFC 8693, and what the answer issues. */
import { ACCESS_TOKEN_TYPE, JWT_TYPE, TOKEN_EXCHANGE } from '../protocol/oauth.js';
import { Unavailable } from './errors.js';
import { textOf } from './request.js';
export const wishOf = (wish) => (isWish(wish) ? wish : { access: wish });
const isWish = (wish) => typeof wish === 'object' && !Array.isArray(wish);
export function parametersOf({ access, lifetimeSeconds }) {
  const lifetime = lifetimeSeconds === undefined ? {} : { lifetime: String(lifetimeSeconds) };
  if (access === undefined) return lifetime;
  const entries = typeof access === 'string' ? [access] : access;
  const isScope = entries.every((entry) => typeof entry === 'string');
  return {
    ...lifetime,
    ...(isScope ? { scope: entries.join(' ') } : { authorization_details: JSON.stringify(entries) }),
  };
}
export function exchangeForm({ workload, person, handedOn }, parameters) {
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
export function issuedIn(answer) {
  const { access_token: token, expires_in: lifetimeSeconds, task_id: task, scope } = answer;
  const isCredential = typeof token === 'string' && /^[ -~]+$/.test(token);
  if (!isCredential || !(typeof lifetimeSeconds === 'number' && lifetimeSeconds > 0) || typeof task !== 'string') {
    throw new Unavailable('The answer of the broker has no access_token, expires_in and task_id.', { mayPass: false });
  }
  return { issued: { token, lifetimeSeconds, scope: textOf(scope) ?? '' }, task };
}
