/** Repeats a read, a decision and a compare-and-set while others write first: bounded, with a random wait in between. */
import { randomInt } from 'node:crypto';
import { BrokerError } from '../domain/errors.js';
import type { Ledger } from './ledger.js';

const ATTEMPTS = 12;

/** @param attempt Returns undefined when somebody else wrote first. */
export async function retryOnConflict<T>({ clock }: Ledger, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let attempts = 1; attempts <= ATTEMPTS; attempts += 1) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (attempts < ATTEMPTS) await clock.pause(randomInt(2 ** Math.min(attempts, 6)));
  }
  throw new BrokerError('temporarily_unavailable', 'Too many requests change the same record at once.', {
    retryAfterSeconds: 1,
  });
}
