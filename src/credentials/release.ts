/**
 * The last steps of an exchange: mint the reserved credential, and hand it out only after its audit entry is durable and a
 * second look at the log found it alive. If a step fails, the credential is ended before the caller gets the refusal.
 */
import { unredeem } from '../approvals/redeem.js';
import type { AuditEvent } from '../audit/event.js';
import { callerFields, taskFields } from '../authorization/audit.js';
import { recordOf, type Decision } from '../authorization/decide.js';
import type { Requester } from '../authorization/requester.js';
import type { Credential } from '../domain/credential.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { credentialCauses } from '../domain/hangs-on.js';
import { chainOf, type Task } from '../domain/task.js';
import { MINT_BEGINS_WITHIN_MS } from '../domain/timing.js';
import { abandon, activate, dropCredential } from '../ledger/credentials.js';
import { putHandle } from '../ledger/handles.js';
import type { Versioned } from '../ledger/ledger.js';
import { NothingMinted, type Minted, type Minter } from '../minters/minter.js';
import type { Deps } from './deps.js';
import type { CachedSession } from './session-cache.js';
import { endUnreleased } from './expire-reservations.js';

/** A credential that is decided and reserved in the ledger, and not yet minted. */
export interface Grant {
  requester: Requester;
  reserved: Versioned<Credential>;
  task: Task;
  /** Whether the task was opened together with the credential. */
  opened: boolean;
  decision: Decision;
  minter: Minter;
  /** It is kept, to be handed out once more. */
  again?: true;
}

/** A session that was handed out before, and that is handed out once more in place of a new one. */
export interface Reissue {
  requester: Requester;
  session: CachedSession;
  task: Task;
  decision: Decision;
}

export interface Issued {
  minted: Minted;
  credential: Credential;
  task: Task;
  opened: boolean;
  /** It was handed out before. */
  again?: true;
}

/** Hands out a session once more. Nothing is made by it, and the caller has it already: the audit log says that it was asked for. */
export async function reissue(deps: Deps, { session, task, ...rest }: Reissue, requestId: string): Promise<Issued> {
  const { minted, credential } = session;
  const event = grantedEvent(deps.ledger.clock.now(), { ...rest, credential, task }, { requestId });
  await deps.audit.append({ ...event, type: 'credential.given_again' });
  return { minted, credential, task, opened: false, again: true };
}

/**
 * Returns what was minted, once it may be handed out. Throws `access_denied` where an entry of the log has ended it meanwhile, the refusal
 * of the target, or the failure of the store or the audit log: then the credential is ended.
 */
export async function release(deps: Deps, grant: Grant, requestId: string): Promise<Issued> {
  const { reserved, task, opened, minter } = grant;
  const { value: credential } = reserved;
  const { ledger } = deps;
  try {
    assertNotExpired(deps, credential);
    const minted = await minter.mint(credential, task);
    const { handle, scopeHash } = minted;
    await Promise.all([
      deps.audit.append(grantedEvent(ledger.clock.now(), { ...grant, credential }, { requestId, scopeHash })),
      lookAgain(deps, grant),
      handle !== undefined && putHandle(ledger, credential, handle),
    ]);
    // This comes after the look, so that every active credential was alive once its target knew it.
    if (credential.state === 'reserved' && !(await activate(ledger, reserved, handle)))
      throw new Error('the record of the reservation was changed or lost');
    if (grant.again) deps.sessions.keep({ minted, credential }, task);
    return { minted, credential, task, opened };
  } catch (error) {
    await unwind(deps, grant, error);
    throw error instanceof NothingMinted ? error.refusal : error;
  }
}

/**
 * If this process stalled after reserving (VM pause, long garbage collection), other brokers may already have expired the
 * reservation. Nothing is minted then.
 */
function assertNotExpired({ ledger }: Pick<Deps, 'ledger'>, { state, issuedAt }: Credential): void {
  if (state !== 'reserved' || Math.abs(ledger.clock.now() - issuedAt) < MINT_BEGINS_WITHIN_MS) return;
  const text = 'The broker took too long to mint the credential; ask again.';
  throw new NothingMinted(new BrokerError('temporarily_unavailable', text));
}

/**
 * A revocation that is published between the first look and the reserve is either seen by this second look, or its publisher
 * finds the reservation when it walks the ledger afterwards.
 */
async function lookAgain({ ledger }: Pick<Deps, 'ledger'>, { reserved, task }: Grant): Promise<void> {
  const { value: credential } = reserved;
  const causes = credentialCauses(credential, task);
  const seen = await ledger.log.look(causes);
  if (seen.deathOf('credential', credential.epoch, causes) === undefined) return;
  throw new BrokerError('access_denied', 'The credential was revoked while it was being minted.', {
    retry: 'after-lift',
  });
}

/**
 * Ends the credential if the store takes it. Otherwise nothing is lost: a JWT never left the process, and a job expires a
 * reservation that a target may have answered.
 */
async function unwind({ ledger }: Pick<Deps, 'ledger'>, { reserved }: Grant, error: unknown): Promise<void> {
  const { value: credential } = reserved;
  await Promise.allSettled([
    endUnreleased(ledger, credential, 'the exchange that reserved it failed'),
    dropCredential(ledger, credential),
  ]);
  const nothingMinted = error instanceof NothingMinted;
  if (nothingMinted) await abandon(ledger, reserved).catch(() => undefined);
  // What is made in this process has not left it.
  if (nothingMinted || credential.state === 'active') await unredeem(ledger, credential).catch(() => undefined);
}

function grantedEvent(
  at: number,
  {
    requester,
    credential,
    task,
    decision,
  }: Pick<Grant, 'requester' | 'task' | 'decision'> & { credential: Credential },
  { requestId, scopeHash }: { requestId: string; scopeHash?: string | undefined },
): AuditEvent {
  return defined({
    type: 'credential.granted',
    at,
    ...callerFields(requester.caller),
    ...taskFields(task),
    ...(task.handedOn && { handedOn: task.handedOn[0], chain: chainOf(task) }),
    credential: credential.id,
    target: credential.target,
    access: credential.access,
    expiresAt: credential.expiresAt,
    scopeHash,
    approval: credential.approval,
    decision: recordOf(decision),
    requestId,
  });
}
