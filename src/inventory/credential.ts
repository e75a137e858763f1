/**
 * What a credential is, what it could touch and what it hangs on, for the SOC and for its owners. It never contains the
 * secret.
 */
import type { Permitted } from '../authorization/permission.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { hangsOn, unnamedCauses } from '../domain/hangs-on.js';
import { isId } from '../domain/id.js';
import type { Cause, Selector } from '../domain/selector.js';
import type { SessionEffect } from '../enforcement/effect.js';
import { alive, findCredential, readCredentials, type Found } from '../ledger/credentials.js';
import { credentialByHandle } from '../ledger/handles.js';
import type { Ledger } from '../ledger/ledger.js';
import { readReadableTasks } from '../ledger/tasks.js';
import { sessionEffect } from '../revocation/effects.js';

/**
 * One word for what a credential is now. `reserved`: its target was asked for it, and has not answered. `failed`: it was surely
 * never made. `expired`: its time is up, whether or not it was ended before.
 */
type CredentialState = 'reserved' | 'live' | 'ended' | 'expired' | 'failed';

interface CredentialAnswer extends Found {
  state: CredentialState;
  /** Every selector whose revocation ends it, as far as these can be named. */
  causes: Selector[];
  /** Further causes that it hangs on, without their selectors: the record of an ancestor is gone, cannot be read, or is of an older release. */
  unnamedCauses: Cause[];
  /** For a dead credential whose revocation must be pushed to its target: how far that has come. */
  end?: SessionEffect;
}

export async function readCredential(
  ledger: Ledger,
  _: Permitted<'readCredential'>,
  credentialId: string,
): Promise<CredentialAnswer> {
  const id = isId('crd', credentialId) ? credentialId : await credentialByHandle(ledger, credentialId);
  const found = id === undefined ? undefined : await findCredential(ledger, id);
  if (!found) throw new BrokerError('not_found', 'There is no credential with that id.');
  const state = await stateOf(ledger, found);
  const end = state === 'live' || state === 'reserved' ? undefined : await sessionEffect(ledger, found);
  const [ancestors, credentials] = await Promise.all([
    readReadableTasks(ledger, found.task.lineage),
    readCredentials(ledger, found.task.handedOn ?? []).catch(() => []),
  ]);
  const causes = hangsOn(found.credential, found.task, { ancestors, credentials });
  return defined({
    ...found,
    state,
    end,
    causes,
    unnamedCauses: unnamedCauses(found.credential, found.task, causes),
  });
}

async function stateOf(ledger: Ledger, found: Found): Promise<CredentialState> {
  const { state, expiresAt } = found.credential;
  if (state === 'failed') return 'failed';
  if (expiresAt <= ledger.clock.now()) return 'expired';
  if ((await alive(ledger, [found])).length === 0) return 'ended';
  return state === 'active' ? 'live' : state;
}
