/** Compare-and-set, again: reads, decides and commits anew while others win the race; bounded and jittered. */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { BrokerError } from '../domain/errors.js';

const ATTEMPTS = 12;

/** @param attempt Answers undefined when somebody else wrote first. */
export async function retryOnConflict<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let attempts = 1; attempts <= ATTEMPTS; attempts += 1) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (attempts < ATTEMPTS) await pause(randomInt(2 ** Math.min(attempts, 6)));
  }
  throw new BrokerError('temporarily_unavailable', 'Too many requests change the same task at once.', {
    retryAfterSeconds: 1,
  });
}
