/** Assertions that were used. Each is a grant that can be used once (RFC 7523 §3, 7), so the first to write it down has it. */
import { BrokerError } from '../domain/errors.js';
import { assertionKey } from './keys.js';
import type { Ledger } from './ledger.js';

/**
 * Uses the assertion up, also where the request is then refused. Throws `invalid_grant` if somebody was faster.
 * @param until Milliseconds: from then on the assertion is refused for its age
 */
export async function useOnce({ records }: Ledger, { id, until }: { id: string; until: number }): Promise<void> {
  const key = assertionKey(id);
  if (await records.commit({ expect: [[key, undefined]], put: [[key, '', until]] })) return;
  throw new BrokerError('invalid_grant', 'The assertion was used before. Sign another one.', { retry: 'later' });
}
