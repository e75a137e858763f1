/** What a credential is and what it could touch, for SOC and for whoever answers for it. Never the credential itself. */
import { BrokerError } from '../domain/errors.js';
import type { Proven } from '../identity/caller.js';
import { alive, findCredential, type Found } from '../ledger/credentials.js';
import { permitOnBroker, type PermitDeps } from './permit.js';

export async function readCredential(
  deps: PermitDeps,
  caller: Proven,
  { credentialId, requestId }: { credentialId: string; requestId: string },
): Promise<Found & { live: boolean }> {
  await permitOnBroker(deps, caller, 'readCredential', { requestId });
  const found = await findCredential(deps.ledger, credentialId);
  if (!found) throw new BrokerError('not_found', 'There is no credential with that id.', { retry: 'never' });
  return { ...found, live: (await alive(deps.ledger, [found])).length > 0 };
}
