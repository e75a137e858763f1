/** What SOC teams do: see what a revocation would hit, and revoke by any selector. Published first, counted after. */
import type { Deps } from '../broker/deps.js';
import { auditRefusal } from '../broker/audit-refusal.js';
import { provenFields } from '../broker/events.js';
import { permitOnBroker } from '../broker/permit.js';
import { readPresented } from '../broker/presented-token.js';
import { BrokerError } from '../domain/errors.js';
import { newId } from '../domain/id.js';
import { defaultEffect, effectFits, isWellFormed, type Effect, type Selector } from '../domain/selector.js';
import type { Proven } from '../identity/caller.js';
import { findCredential } from '../ledger/credentials.js';
import { receiptFor } from '../ledger/follow-receipts.js';
import { countImpact, type Affected } from '../ledger/impact.js';
import type { Receipt } from '../ledger/receipts.js';
import { readTask } from '../ledger/tasks.js';
import { revoke } from './revoke.js';

export type RevocationDeps = Pick<Deps, 'ledger' | 'policy' | 'keys' | 'audit' | 'settings'>;

export interface RevocationRequest {
  /** A selector, or a found token whose credential is meant. */
  what: Selector | { leaked: string };
  effect?: Effect;
  reason: string;
  ticket?: string;
  /** With `hold`: when it is lifted by itself. Milliseconds. */
  liftAt?: number;
  requestId: string;
}

export interface Preview {
  selector: Selector;
  effect: Effect;
  at: number;
  affected: Affected;
}

export async function revokeBySelector(
  deps: RevocationDeps,
  caller: Proven,
  request: RevocationRequest,
): Promise<Receipt> {
  const { selector, effect } = await permitted(deps, caller, request, false);
  const { reason, ticket, liftAt } = request;
  const knownEnd = await endOf(deps, selector);
  const entry = await revoke(deps.ledger, {
    selector,
    effect,
    reason,
    actor: caller.party.id,
    ...(ticket !== undefined && { ticket }),
    ...(liftAt !== undefined && { liftAt }),
    ...(knownEnd !== undefined && { knownEnd }),
  });
  return receiptFor(deps.ledger, entry);
}

/** The same count, and nothing is written but its audit entry. */
export async function previewRevocation(
  deps: RevocationDeps,
  caller: Proven,
  request: RevocationRequest,
): Promise<Preview> {
  const { selector, effect } = await permitted(deps, caller, request, true);
  const at = deps.ledger.clock.now();
  const affected = await countImpact(deps.ledger, { selector, at });
  const { reason, ticket, requestId } = request;
  await deps.audit.append({
    type: 'revocation.previewed',
    at,
    ...provenFields(caller),
    reason,
    ...(ticket !== undefined && { ticket }),
    requestId,
  });
  return { selector, effect, at, affected };
}

async function permitted(
  deps: RevocationDeps,
  caller: Proven,
  { what, effect: asked, liftAt, requestId }: RevocationRequest,
  dryRun: boolean,
) {
  const selector = 'leaked' in what ? await credentialOf(deps, what.leaked) : what;
  const effect = asked ?? defaultEffect(selector.kind);
  try {
    refuseMisfit(selector, effect, liftAt, deps.ledger.clock.now());
  } catch (error) {
    await auditRefusal(deps, error, caller, { type: 'operation.refused', verb: 'revoke', requestId });
    throw error;
  }
  await permitOnBroker(deps, caller, 'revoke', { requestId, revocation: { ...selector, effect, dryRun } });
  return { selector, effect };
}

function refuseMisfit(selector: Selector, effect: Effect, liftAt: number | undefined, now: number): void {
  const mistake = !isWellFormed(selector)
    ? 'The selector value is missing or malformed for its kind.'
    : !effectFits(selector.kind, effect)
      ? `The effect "${effect}" does not fit a ${selector.kind}.`
      : liftAt !== undefined && effect !== 'hold'
        ? 'Only a hold can have "until".'
        : liftAt !== undefined && liftAt <= now
          ? 'The time in "until" is past.'
          : undefined;
  if (mistake !== undefined) throw new BrokerError('invalid_request', mistake, { retry: 'never' });
}

/** What is no live token of ours stands for a credential that never was: revoking it is harmless, and tells nothing. */
async function credentialOf(deps: RevocationDeps, leaked: string): Promise<Selector> {
  const claims = await readPresented(deps, leaked.trim()); // Whoever pastes it brings the line break along.
  return { kind: 'credential', value: claims?.jti ?? newId('crd') };
}

/** Lets the log forget sooner. A store that cannot read now must not stop a revocation. */
async function endOf({ ledger }: RevocationDeps, { kind, value }: Selector): Promise<number | undefined> {
  try {
    if (kind === 'task') return (await readTask(ledger, value))?.value.deadline;
    if (kind === 'credential') return (await findCredential(ledger, value))?.credential.expiresAt;
  } catch {
    return undefined;
  }
  return undefined;
}
