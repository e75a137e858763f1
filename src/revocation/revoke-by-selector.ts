/** What SOC teams do: see what a revocation would hit, and revoke by any selector. Published first, counted after. */
import { defined } from '../domain/defined.js';
import type { Deps } from '../authorization/deps.js';
import { auditRefusal } from '../authorization/audit-refusal.js';
import { provenFields } from '../authorization/audit-fields.js';
import { permitOnBroker } from '../authorization/permit.js';
import { readPresented } from '../authorization/presented-token.js';
import { BrokerError } from '../domain/errors.js';
import { newId } from '../domain/id.js';
import type { Effect, Selector } from '../domain/selector.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { credentialsCalled } from '../ledger/handles.js';
import { countImpact, type Affected } from '../ledger/impact.js';
import type { Receipt } from '../ledger/receipts.js';
import { carryOut, fittingEffect } from './order.js';
import { effectsOf, type Effect as Achieved } from './effects.js';

export type RevocationDeps = Pick<Deps, 'ledger' | 'policy' | 'keys' | 'audit' | 'settings' | 'observer'>;

interface RevocationRequest {
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
  effects: Achieved[];
}

export async function revokeBySelector(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  request: RevocationRequest,
): Promise<Receipt> {
  const { selector, effect } = await permitted(deps, caller, request, false);
  const { reason, ticket, liftAt } = request;
  return carryOut(deps.ledger, defined({ selector, effect, reason, actor: caller.party.id, ticket, liftAt }));
}

/** The same count, and nothing is written but its audit entry. */
export async function previewRevocation(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  request: RevocationRequest,
): Promise<Preview> {
  const { selector, effect } = await permitted(deps, caller, request, true);
  const at = deps.ledger.clock.now();
  const affected = await countImpact(deps.ledger, { selector, at });
  const { reason, ticket, requestId } = request;
  await deps.audit.append(
    defined({
      type: 'revocation.previewed',
      at,
      ...provenFields(caller),
      reason,
      ticket,
      requestId,
    }),
  );
  return { selector, effect, at, affected, effects: await effectsOf(deps.ledger, affected, undefined) };
}

async function permitted(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  request: RevocationRequest,
  dryRun: boolean,
) {
  const { what, requestId } = request;
  const selector = 'leaked' in what ? await credentialOf(deps, what.leaked) : what;
  const effect = await understood(deps, caller, selector, request);
  await permitOnBroker(deps, caller, 'revoke', { requestId, revocation: { ...selector, effect, dryRun } });
  return { selector, effect };
}

/** A proven caller's mistake is in the audit log like every other refusal. */
async function understood(
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

/** What is no live token of ours, and no key id that we know, stands for a credential that never was: revoking it is harmless, and tells nothing. */
async function credentialOf(deps: RevocationDeps, leaked: string): Promise<Selector> {
  const text = leaked.trim(); // Whoever pastes it brings the line break along.
  const [called, ...more] = await credentialsCalled(deps.ledger, text);
  if (more.length > 0)
    throw new BrokerError(
      'invalid_request',
      'Several credentials of ours are in it: revoke each by its access key id.',
    );
  const claims = called === undefined ? await readPresented(deps, text) : undefined;
  return { kind: 'credential', value: called ?? claims?.jti ?? newId('crd') };
}
