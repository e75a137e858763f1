/** Which revocation a path names. What is no number names none. */
import { BrokerError } from '../../domain/errors.js';
import type { Call } from '../endpoint.js';

export function seqOf({ params }: Pick<Call, 'params'>): number {
  const { seq = '' } = params;
  if (/^[1-9]\d{0,14}$/.test(seq)) return Number(seq);
  throw new BrokerError('not_found', 'There is no revocation with that number.');
}
