/** Counts and notes the outcome of an exchange, at whichever endpoint: an outage counts as failed, every other refusal as refused. */
import type { Issued } from '../../credentials/release.js';
import { BrokerError, isFailure } from '../../domain/errors.js';
import type { HttpDeps } from '../deps.js';
import type { Call } from './endpoint.js';
import { noteTask } from './noted.js';

export async function countExchange<I extends Issued>(
  { metrics }: Pick<HttpDeps, 'metrics'>,
  call: Pick<Call, 'noted'>,
  exchanging: () => Promise<I>,
): Promise<I> {
  try {
    const issued = await exchanging();
    noteTask(call, issued.task.id);
    metrics.exchanged('granted');
    if (!issued.again) metrics.minted(issued.credential.expiresAt);
    return issued;
  } catch (error) {
    metrics.exchanged(error instanceof BrokerError && !isFailure(error) ? 'refused' : 'failed');
    throw error;
  }
}
