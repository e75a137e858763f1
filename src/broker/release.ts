/**
 * The last steps of an exchange: mint what was reserved, and hand it out only after its audit entry is durable and a second
 * look at the log found it alive. What fails here is ended before the caller hears of it.
 */
import { credentialCauses, type Credential } from '../domain/credential.js';
import { BrokerError } from '../domain/errors.js';
import { death, parseEpoch } from '../domain/liveness.js';
import type { Task } from '../domain/task.js';
import { dropCredential } from '../ledger/credentials.js';
import type { Minted } from '../minters/minter.js';
import type { Target } from '../config/schema.js';
import { revoke } from '../revoker/revoke.js';
import type { Deps } from './deps.js';
import { grantedEvent } from './events.js';
import type { Grant } from './grant.js';

export interface Issued {
  minted: Minted;
  credential: Credential;
  task: Task;
  opened: boolean;
}

export async function release(deps: Deps, grant: Grant, requestId: string): Promise<Issued> {
  const { credential, task, opened } = grant;
  try {
    const minted = await minterOf(deps, grant.target).mint(credential, task);
    await Promise.all([
      deps.audit.append(grantedEvent(deps.ledger.clock.now(), grant, requestId)),
      lookAgain(deps, grant),
    ]);
    return { minted, credential, task, opened };
  } catch (error) {
    await unwind(deps, grant);
    throw error;
  }
}

/** Closes the gap between the first look and the reserve: whatever was published in between is found here, or found us. */
async function lookAgain({ ledger }: Pick<Deps, 'ledger'>, { credential, task }: Grant): Promise<void> {
  const causes = credentialCauses(credential, task);
  const seen = await ledger.log.look(causes);
  if (death('credential', parseEpoch(credential.epoch), seen.epoch.generation, seen.on(causes)) === undefined) return;
  throw new BrokerError('access_denied', 'It was revoked while it was being made.', { retry: 'after-lift' });
}

/** Best effort, for order's sake: what is thrown away here never left the process. */
async function unwind({ ledger }: Pick<Deps, 'ledger'>, { credential }: Grant): Promise<void> {
  const ending = revoke(ledger, {
    id: `unwind:${credential.id}`,
    selector: { kind: 'credential', value: credential.id },
    effect: 'end',
    reason: 'the exchange that reserved it failed',
    actor: 'broker',
    knownEnd: credential.expiresAt,
  });
  await Promise.allSettled([ending, dropCredential(ledger, credential)]);
}

function minterOf({ minters }: Pick<Deps, 'minters'>, target: Target) {
  const minter = minters.get(target.minter);
  if (!minter) throw new Error('no minter for a configured target');
  return minter;
}
