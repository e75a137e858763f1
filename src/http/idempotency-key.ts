/** The Idempotency-Key header: the same key and the same request find the same task. */
import { createHash } from 'node:crypto';
import { BrokerError } from '../domain/errors.js';
import type { IdempotencyKey } from '../ledger/idempotency.js';
import type { Call } from './endpoint.js';

/** @param asked What the request means, so that another way of writing it is the same request. */
export function idempotencyKeyOf({ headers }: Pick<Call, 'headers'>, asked: object): IdempotencyKey | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined) return undefined;
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw new BrokerError('invalid_request', 'The Idempotency-Key must be 1 to 255 visible ASCII characters.');
  }
  return { key, body: createHash('sha256').update(JSON.stringify(asked)).digest('base64url') };
}
