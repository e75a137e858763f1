/**
 * Revocation by a selector: what security teams order, and its preview. The entry in the log is published first, and what it
 * hit is counted after, so a revocation never waits for a count.
 */
import { defined } from '../domain/defined.js';
import type { Deps } from '../authorization/deps.js';
import { auditRefusal } from '../authorization/audit-refusal.js';
import { provenFields } from '../authorization/audit-fields.js';
import { permitOnBroker } from '../authorization/permit.js';
import { readPresented } from '../authorization/presented-token.js';
import { BrokerError } from '../domain/errors.js';
import { newId } from '../domain/id.js';
import { defaultEffect, effectFits, isWellFormed, type Effect, type Selector } from '../domain/selector.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { findCredential } from '../ledger/credentials.js';
import { receiptFor } from '../ledger/follow-receipts.js';
import { credentialsCalled } from '../ledger/handles.js';
import { countImpact, type Affected } from '../ledger/impact.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Receipt } from '../ledger/receipts.js';
import { revoke } from '../ledger/revoke.js';
import { readTask } from '../ledger/tasks.js';
import { effectsOf, type Effect as Achieved } from './effects.js';

export type RevocationDeps = Pick<Deps, 'ledger' | 'policy' | 'keys' | 'audit' | 'settings' | 'observer'>;

interface RevocationRequest {
  /** A selector, or a text that somebody found, with a token or a handle in it: the credential of that is meant. */
  what: Selector | { leaked: string };
  effect?: Effect;
  reason: string;
  ticket?: string;
  /** Of a hold: when it is lifted by itself. Milliseconds. */
  liftAt?: number;
  requestId: string;
}

export interface Preview {
  selector: Selector;
  effect: Effect;
  at: number;
  affected: Affected;
  effects: Achieved[];
}

export async function revokeBySelector(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  request: RevocationRequest,
): Promise<Receipt> {
  const { selector, effect } = await permitRevocation(deps, caller, request, false);
  const { reason, ticket, liftAt } = request;
  return publishRevocation(deps.ledger, defined({ selector, effect, reason, actor: caller.party.id, ticket, liftAt }));
}

/** What the revocation would hit. Nothing is written except an audit entry. */
export async function previewRevocation(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  request: RevocationRequest,
): Promise<Preview> {
  const { selector, effect } = await permitRevocation(deps, caller, request, true);
  const at = deps.ledger.clock.now();
  const affected = await countImpact(deps.ledger, { selector, at });
  const { reason, ticket, requestId } = request;
  await deps.audit.append(
    defined({ type: 'revocation.previewed', at, ...provenFields(caller), reason, ticket, requestId }),
  );
  return { selector, effect, at, affected, effects: await effectsOf(deps.ledger, affected, undefined) };
}

interface Revocation {
  selector: Selector;
  effect: Effect;
  reason: string;
  actor: string;
  ticket?: string;
  /** Of a hold: when it is lifted by itself. Milliseconds. */
  liftAt?: number;
  /** Names a revocation that may be published twice, for example after a crash: the log then has one entry. */
  id?: string;
}

/** Publishes a revocation without asking whether anybody may: for reactions, and for whoever has the store's credentials. */
export async function publishRevocation(ledger: Ledger, revocation: Revocation): Promise<Receipt> {
  const knownEnd = await knownEndOf(ledger, revocation.selector);
  const entry = await revoke(ledger, defined({ ...revocation, knownEnd }));
  return receiptFor(ledger, entry);
}

/** The effect that is asked for, or the usual one for the selector. Throws if the parts of the request do not fit each other. */
export function fittingEffect(
  selector: Selector,
  { effect = defaultEffect(selector.kind), liftAt }: { effect?: Effect; liftAt?: number },
  now: number,
): Effect {
  if (!isWellFormed(selector)) throw invalid('The selector value is missing or malformed for its kind.');
  if (!effectFits(selector.kind, effect)) throw invalid(`The effect "${effect}" does not fit a ${selector.kind}.`);
  if (liftAt !== undefined && effect !== 'hold') throw invalid('Only a hold can have "until".');
  if (liftAt !== undefined && liftAt <= now) throw invalid('The time in "until" is past.');
  return effect;
}

const invalid = (text: string): BrokerError => new BrokerError('invalid_request', text);

async function permitRevocation(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  request: RevocationRequest,
  dryRun: boolean,
): Promise<{ selector: Selector; effect: Effect }> {
  const { what, requestId } = request;
  const selector = 'leaked' in what ? await credentialIn(deps, what.leaked) : what;
  const effect = await auditedEffect(deps, caller, selector, request);
  await permitOnBroker(deps, caller, 'revoke', { requestId, revocation: { ...selector, effect, dryRun } });
  return { selector, effect };
}

/** `fittingEffect`, whose refusal is in the audit log like every other refusal of an authenticated caller. */
async function auditedEffect(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  selector: Selector,
  request: RevocationRequest,
): Promise<Effect> {
  try {
    return fittingEffect(selector, request, deps.ledger.clock.now());
  } catch (error) {
    const { requestId } = request;
    await auditRefusal(deps, error, caller, { type: 'operation.refused', verb: 'revoke', requestId });
    throw error;
  }
}

/**
 * The credential whose token or handle stands in a text. If there is none, a new id is returned, of a credential that never
 * existed: revoking it does no harm, and the answer does not tell whether the text was a live token.
 */
async function credentialIn(deps: RevocationDeps, leaked: string): Promise<Selector> {
  const text = leaked.trim(); // A pasted text often ends with a line break.
  const [called, ...more] = await credentialsCalled(deps.ledger, text);
  if (more.length > 0) throw invalid('Several credentials of ours are in it: revoke each by its access key id.');
  const claims = called === undefined ? await readPresented(deps, text) : undefined;
  return { kind: 'credential', value: called ?? claims?.jti ?? newId('crd') };
}

/**
 * When what the selector names ends anyway, so that the log can forget its tombstone sooner; undefined if that is unknown. A
 * store that cannot be read now must not stop a revocation, so errors count as unknown.
 */
async function knownEndOf(ledger: Ledger, { kind, value }: Selector): Promise<number | undefined> {
  try {
    if (kind === 'task') return (await readTask(ledger, value))?.value.deadline;
    if (kind === 'credential') return (await findCredential(ledger, value))?.credential.expiresAt;
  } catch {
    return undefined;
  }
  return undefined;
}
