/** Fields that several endpoints read from a request: bounded texts, whole numbers, times, and two headers. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { sha256 } from '../../domain/digest.js';
import { BrokerError } from '../../domain/errors.js';
import { hasUnprintable } from '../../domain/text.js';
import { fromTimestamp } from '../../domain/time.js';
import type { IdempotencyKey } from '../../ledger/idempotency.js';
import { time } from './contract.js';
import type { Call } from './endpoint.js';

/** Bytes that are no UTF-8 have become this character. */
const REPLACEMENT = '\ufffd';

/** Returns whether the text is one line of 1 to `most` visible characters. */
export const isPrintable = (text: string, most: number): boolean =>
  text !== '' && text.length <= most && !hasUnprintable(text) && !text.includes(REPLACEMENT);

export const printable = (most: number) =>
  z
    .string()
    .refine((text) => isPrintable(text, most), `must be 1 to ${most} printable characters`)
    .meta({ minLength: 1, maxLength: most });

/** Returns the schema of a number that arrives as text, e.g. as a parameter of a query string. */
export const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most))
    .meta({ type: 'integer', minimum: least, maximum: most });

/** An RFC 3339 time up to the year 9999; the output is milliseconds. */
export const timestamp = time().transform((text, context) => {
  const ms = fromTimestamp(text);
  if (ms !== undefined) return ms;
  context.addIssue('must be a time as in RFC 3339, e.g. 2027-01-31T09:30:00Z');
  return z.NEVER;
});

/** Characters that are harmless in logs, headers and URIs. */
const REQUEST_ID = /^[\w.~-]{1,64}$/;

/** Returns the caller's own request id if it is harmless, else a new one. */
export const requestIdOf = (sent: string | string[] | undefined): string =>
  typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : `req_${randomUUID()}`;

/**
 * Returns the Idempotency-Key and a digest of the request, or undefined when there is no such header. The same key with the
 * same request finds the same task.
 * @param meaning What the request means, so that the same request written in another way has the same digest.
 */
export function idempotencyKeyOf({ headers }: Pick<Call, 'headers'>, meaning: object): IdempotencyKey | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new BrokerError('invalid_request', 'The Idempotency-Key must be 1 to 255 visible ASCII characters.');
  }
  return { key, body: sha256(JSON.stringify(meaning)) };
}

/** Returns whether the caller asks for this media type, in place of what it would get. */
export const accepts = ({ headers }: Pick<Call, 'headers'>, mediaType: string): boolean =>
  (headers.accept ?? '').split(',').some((type) => type.split(';', 1)[0]?.trim().toLowerCase() === mediaType);
