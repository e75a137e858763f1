/** Which refusals say that somebody wants what it may not have. Mistakes of form, floods and bad days do not. */
import type { BrokerError, BrokerErrorCode } from '../domain/errors.js';

/** Reaching for what is not there, not its own, or over. */
const DENIALS: ReadonlySet<BrokerErrorCode> = new Set([
  'invalid_scope',
  'invalid_authorization_details',
  'invalid_target',
  'invalid_grant',
  'not_found',
]);

/** Held and cut off have a detector of their own: an alarm about somebody held would hold it again. */
export const isDenial = (error: BrokerError): boolean => deniedByPolicy(error) || DENIALS.has(error.code);

/** Beyond what its task may do. */
export const isOutOfScope = (error: BrokerError): boolean => deniedByPolicy(error) || error.code === 'invalid_scope';

const deniedByPolicy = ({ code, details }: BrokerError): boolean =>
  code === 'access_denied' && details.decision?.outcome === 'deny';
