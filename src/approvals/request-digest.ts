/** The digest of a request for an approval: what became of the same request before is found by it. */
import { digestOpening, digestUnder } from '../domain/asked.js';
import type { Shard } from '../domain/id.js';
import type { ApprovalRequest } from './approval-request.js';

type Asking = Pick<ApprovalRequest, 'requester' | 'task' | 'asked' | 'stored' | 'run' | 'previous'>;

/** Returns the digest of a request that opens its task, and where that is born unless something else says where. */
export function openingDigest({ requester, task, asked, run, previous }: Asking): { digest: string; shard: Shard } {
  const { workload, principal, purpose, purposeFrom, ceiling } = task;
  const led = run ? Buffer.from(run.digest).toString('base64url') : previous?.record;
  const handed = requester.handed?.credential.id;
  return digestOpening({ workload, principal, purpose, purposeFrom, ceiling, handed, led }, asked);
}

/** Returns the digest that requests have in common of which one asks: they would work under one task, and ask for the same. */
export const requestDigest = (request: Asking): string =>
  request.stored ? digestUnder(request.task, request.asked) : openingDigest(request).digest;
