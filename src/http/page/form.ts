/** A form of the page: it is taken from the session that it was rendered for, and about what it was rendered for. */
import { timingSafeEqual } from 'node:crypto';
import { BrokerError } from '../../domain/errors.js';
import { HARD_LIMITS } from '../../domain/limits.js';
import { demandContentType, textOf } from '../wire/body.js';
import type { Call } from '../wire/endpoint.js';
import type { Session } from './session.js';

const FIELDS_MAX = HARD_LIMITS.parameters;

/**
 * Returns the fields. Throws `access_denied` where the form was rendered for another session, for example of somebody who was signed
 * in in another tab.
 * @param about What the form is about; a function of its fields where they say so
 */
export function formOf(
  call: Pick<Call, 'headers' | 'body'>,
  session: Session,
  about: string | ((fields: URLSearchParams) => string),
): URLSearchParams {
  demandContentType(call.headers['content-type'], 'application/x-www-form-urlencoded');
  const text = textOf(call.body);
  if (text.split('&', FIELDS_MAX + 1).length > FIELDS_MAX)
    throw new BrokerError('invalid_request', `A form has at most ${FIELDS_MAX} fields.`);
  const fields = new URLSearchParams(text);
  const token = session.formToken(typeof about === 'string' ? about : about(fields));
  if (isEqual(fields.get('form') ?? '', token)) return fields;
  throw new BrokerError(
    'access_denied',
    'This form was made for another session, or for another request. Nothing was done: open the page again.',
  );
}

function isEqual(one: string, other: string): boolean {
  const [sent, made] = [Buffer.from(one), Buffer.from(other)];
  return sent.length === made.length && timingSafeEqual(sent, made);
}
