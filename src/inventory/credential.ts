/**
 * What a credential is, what it could touch and what it hangs on, for the SOC and for its owners. It never contains the
 * secret.
 */
import type { Permitted } from '../authorization/permit.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { hangsOn, unnamedCauses } from '../domain/hangs-on.js';
import { isId } from '../domain/id.js';
import type { Cause, Selector } from '../domain/selector.js';
import type { SessionEffect } from '../enforcement/effect.js';
import { alive, findCredential, type Found } from '../ledger/credentials.js';
import { credentialByHandle } from '../ledger/handles.js';
import type { Ledger } from '../ledger/ledger.js';
import { readReadableTasks } from '../ledger/tasks.js';
import { sessionEffect } from '../revocation/effects.js';

interface CredentialAnswer extends Found {
  live: boolean;
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
  const live = (await alive(ledger, [found])).length > 0;
  const end = live ? undefined : await sessionEffect(ledger, found);
  const ancestors = await readReadableTasks(ledger, found.task.lineage);
  const causes = hangsOn(found.credential, found.task, ancestors);
  return defined({
    ...found,
    live,
    end,
    causes,
    unnamedCauses: unnamedCauses(found.credential, found.task, causes),
  });
}
