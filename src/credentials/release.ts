/**
 * The last steps of an exchange: mint what was reserved, and hand it out only after its audit entry is durable and a second
 * look at the log found it alive. What fails here is ended before the caller hears of it.
 */
import { defined } from '../domain/defined.js';
import type { Credential } from '../domain/credential.js';
import { BrokerError } from '../domain/errors.js';
import { credentialCauses } from '../domain/hangs-on.js';
import { MINT_BEGINS_WITHIN_MS } from '../domain/timing.js';
import type { Task } from '../domain/task.js';
import { abandon, activate, dropCredential } from '../ledger/credentials.js';
import { putHandle } from '../ledger/handles.js';
import { NothingMinted, type Minted } from '../minters/minter.js';
import { giveUp } from './expire-reservations.js';
import type { Deps } from '../authorization/deps.js';
import type { AuditEvent } from '../audit/event.js';
import { provenFields, taskFields } from '../authorization/audit-fields.js';
import type { Decision } from '../authorization/decide.js';
import type { Grant } from './grant.js';

export interface Issued {
  minted: Minted;
  credential: Credential;
  task: Task;
  opened: boolean;
}

export async function release(deps: Deps, grant: Grant, requestId: string): Promise<Issued> {
  const { credential, task, opened, minter } = grant;
  const { ledger } = deps;
  try {
    assertNotGivenUp(deps, credential);
    const minted = await minter.mint(credential, task);
    const { handle, scopeHash } = minted;
    await Promise.all([
      deps.audit.append(grantedEvent(ledger.clock.now(), grant, requestId, scopeHash)),
      lookAgain(deps, grant),
      handle !== undefined && putHandle(ledger, credential, handle),
    ]);
    // After the look: whatever is active was alive once the target had it.
    if (credential.state === 'reserved' && !(await activate(ledger, credential, handle))) throw new Error('given up');
    return { minted, credential, task, opened };
  } catch (error) {
    await unwind(deps, grant, error);
    throw error instanceof NothingMinted ? error.refusal : error;
  }
}

/** A process that was asleep since it reserved: the others have taken what it reserved for lost. */
function assertNotGivenUp({ ledger }: Pick<Deps, 'ledger'>, { state, issuedAt }: Credential): void {
  if (state !== 'reserved' || Math.abs(ledger.clock.now() - issuedAt) < MINT_BEGINS_WITHIN_MS) return;
  const text = 'The broker took too long over it; ask again.';
  throw new NothingMinted(new BrokerError('temporarily_unavailable', text));
}

/** Closes the gap between the first look and the reserve: whatever was published in between is found here, or found us. */
async function lookAgain({ ledger }: Pick<Deps, 'ledger'>, { credential, task }: Grant): Promise<void> {
  const causes = credentialCauses(credential, task);
  const seen = await ledger.log.look(causes);
  if (seen.deathOf('credential', credential.epoch, causes) === undefined) return;
  throw new BrokerError('access_denied', 'It was revoked while it was being made.', { retry: 'after-lift' });
}

/** Best effort: a JWT never left the process, and of what a target may have made the sweep tells it. */
async function unwind({ ledger }: Pick<Deps, 'ledger'>, { credential }: Grant, error: unknown): Promise<void> {
  await Promise.allSettled([
    giveUp(ledger, credential, 'the exchange that reserved it failed'),
    dropCredential(ledger, credential),
  ]);
  if (error instanceof NothingMinted) await abandon(ledger, credential).catch(() => false);
}

function grantedEvent(
  at: number,
  { requester, credential, task, decision }: Grant,
  requestId: string,
  scopeHash?: string,
): AuditEvent {
  return defined({
    type: 'credential.granted',
    at,
    ...provenFields(requester.caller),
    ...taskFields(task),
    credential: credential.id,
    target: credential.target,
    access: credential.access,
    expiresAt: credential.expiresAt,
    scopeHash,
    decision: decisionFields(decision),
    requestId,
  });
}

const decisionFields = ({ id, outcome, policies, digest }: Decision) => ({ id, outcome, policies, digest });
