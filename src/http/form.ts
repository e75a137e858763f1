/** OAuth parameters, strictly: empty is absent, unknown is ignored, repeated is refused (RFC 6749 §3.2). */
import { BrokerError, type BrokerErrorCode } from '../domain/errors.js';
import { demandContentType, textOf } from './body.js';
import type { Call } from './endpoint.js';

export type Form = ReadonlyMap<string, string>;

/** @param mayRepeat Parameters that a standard lets clients repeat, with the code that says we take one only. */
export function readForm(call: Pick<Call, 'headers' | 'body'>, mayRepeat: Record<string, BrokerErrorCode> = {}): Form {
  demandContentType(call.headers['content-type'], 'application/x-www-form-urlencoded');
  const form = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(textOf(call.body))) {
    if (value === '') continue;
    if (form.has(name)) throw repeated(name, new Map(Object.entries(mayRepeat)).get(name));
    form.set(name, value);
  }
  return form;
}

export function demanded(form: Form, name: string): string {
  const value = form.get(name);
  if (value === undefined) throw new BrokerError('invalid_request', `The parameter ${name} is missing.`);
  return value;
}

/** The name is repeated to the caller only as far as it is one of ours. */
function repeated(name: string, code: BrokerErrorCode | undefined): BrokerError {
  if (code !== undefined) return new BrokerError(code, `Exactly one ${name} can be named.`, { retry: 'never' });
  const which = /^[a-z_]{1,32}$/.test(name) ? ` (${name})` : '';
  return new BrokerError('invalid_request', `A parameter was sent twice${which}.`);
}
