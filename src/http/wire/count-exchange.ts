/** Counts the outcome of an exchange, at whichever endpoint: an outage counts as failed, every other refusal as refused. */
import type { Issued } from '../../credentials/release.js';
import { BrokerError, isOutage } from '../../domain/errors.js';
import type { HttpDeps } from '../deps.js';

export async function countExchange(
  { metrics }: Pick<HttpDeps, 'metrics'>,
  exchanging: () => Promise<Issued>,
): Promise<Issued> {
  try {
    const issued = await exchanging();
    metrics.exchanged('granted');
    metrics.minted(issued.credential.expiresAt);
    return issued;
  } catch (error) {
    metrics.exchanged(error instanceof BrokerError && !isOutage(error) ? 'refused' : 'failed');
    throw error;
  }
}
