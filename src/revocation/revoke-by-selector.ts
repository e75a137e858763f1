/**
 * Revocation by a selector: what security teams order, and its preview. The entry in the log is published first, and what it
 * hit is counted after, so a revocation never waits for a count.
 */
import { callerFields, publishedBy } from '../authorization/audit.js';
import type { Deps } from '../authorization/deps.js';
import type { Permitted } from '../authorization/permission.js';
import { permitRevocation } from '../authorization/permit-revocation.js';
import type { Approval } from '../domain/approval.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import type { Effect, Selector } from '../domain/selector.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { countImpact, type Affected } from '../ledger/impact.js';
import type { Receipt } from '../ledger/receipts.js';
import { assertSeen } from './assert-seen.js';
import { effectsOf, type AchievedEffect } from './effects.js';
import { foundIn } from './leaked-text.js';
import { fittingEffect, publishRevocation } from './publish-revocation.js';

export type RevocationDeps = Pick<Deps, 'ledger' | 'policy' | 'keys' | 'audit' | 'settings' | 'observer'>;

interface RevocationRequest {
  /** A selector, or a text that somebody found, with a token, a handle or a deferral code in it: what that is for is meant. */
  what: Selector | { leaked: string };
  effect?: Effect;
  /** Of a hold: when it is lifted by itself. Milliseconds. */
  liftAt?: number;
  dryRun: boolean;
}

/** A revocation that policy permits. Permission for a dry run is none for the revocation itself. */
type PermittedRevocation<DryRun extends boolean> = Permitted<
  'revoke',
  { selector: Selector; effect: Effect; dryRun: DryRun }
>;

/** An approval whose deferral code was found. It is no entry in the log that ends it. */
export type PermittedCancellation = Permitted<'revoke', { approval: Approval; dryRun: boolean }>;

type PermittedOrder = PermittedRevocation<true> | PermittedRevocation<false> | PermittedCancellation;

export interface Preview {
  selector: Selector;
  effect: Effect;
  at: number;
  /** Whether anything is known by the selector; absent if the store cannot say. */
  seen?: boolean;
  affected: Affected;
  effects: AchievedEffect[];
}

/** Policy is asked about it before a text is searched. Nothing is ever published about it. */
const NO_CREDENTIAL = { kind: 'credential', value: 'crd_aaaaaaaaaaaaaaaa' } as const satisfies Selector;

/**
 * Policy is asked about the selector and the effect. A request whose parts do not fit each other is refused before. Of a leaked
 * text, policy is asked twice: before the broker searches it, about no credential, and then about the one that was found. So
 * the text of a caller that may not revoke credentials is never searched. An approval is asked about like a credential, by its own id:
 * its code is as good as one, to whoever has stolen the proof of the workload too.
 */
export async function permitBySelector(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  request: RevocationRequest,
): Promise<PermittedOrder> {
  const { what, dryRun } = request;
  const named = 'leaked' in what ? NO_CREDENTIAL : what;
  const effect = fittingEffect(named, request, deps.ledger.clock.uncheckedEarliest());
  const permit = <DryRun extends boolean>(selector: Selector, dryRun: DryRun): Promise<PermittedRevocation<DryRun>> =>
    permitRevocation(deps, caller, { selector, effect, dryRun }, (order) => ({
      ...order.selector,
      effect: order.effect,
      dryRun: order.dryRun,
    }));
  const ask = (selector: Selector) => (dryRun ? permit(selector, true) : permit(selector, false));
  const permitted = await ask(named);
  if (!('leaked' in what)) return permitted;
  const { found = named, problem } = await foundIn(deps, what.leaked, caller);
  const permittedFound = await ('approval' in found
    ? permitRevocation(deps, caller, { ...found, dryRun }, asCredential)
    : ask(found));
  // Only a caller that may revoke learns what a text contains.
  if (problem !== undefined) throw new BrokerError('invalid_request', problem);
  return permittedFound;
}

const asCredential = ({ approval, dryRun }: PermittedCancellation['subject']) => ({
  kind: 'credential' as const,
  value: approval.id,
  effect: 'end' as const,
  dryRun,
});

export const isCancellation = (permitted: PermittedOrder): permitted is PermittedCancellation =>
  'approval' in permitted.subject;

export const isDryRun = (
  permitted: PermittedRevocation<true> | PermittedRevocation<false>,
): permitted is PermittedRevocation<true> => permitted.subject.dryRun;

/** Publishes what was permitted. It is refused if it would hit nobody, or somebody never seen of whom the caller is not sure. */
export async function revokeBySelector(
  deps: Pick<Deps, 'ledger' | 'settings'>,
  { caller, subject: { selector, effect } }: PermittedRevocation<false>,
  { reason, ticket, liftAt, unseen = false }: { reason: string; ticket?: string; liftAt?: number; unseen?: boolean },
): Promise<Receipt> {
  const seen = await assertSeen(deps, selector, { unseen, by: '"unseen": true' });
  const what = { selector, effect, reason, ticket, liftAt, seen };
  return publishRevocation(deps.ledger, defined({ ...what, ...publishedBy(caller) }));
}

/** Returns what the revocation would hit. Nothing is written except an audit entry. */
export async function previewRevocation(
  deps: Pick<Deps, 'ledger' | 'audit' | 'settings'>,
  { caller, subject: { selector, effect } }: PermittedRevocation<true>,
  { reason, ticket, requestId }: { reason: string; ticket?: string; requestId: string },
): Promise<Preview> {
  // It writes nothing, so it needs no insistence.
  const seen = await assertSeen(deps, selector, { unseen: true, by: '' });
  const at = deps.ledger.clock.now();
  const affected = await countImpact(deps.ledger, { selector, at });
  await deps.audit.append(
    defined({ type: 'revocation.previewed', at, ...callerFields(caller), reason, ticket, requestId }),
  );
  return defined({ selector, effect, at, seen, affected, effects: await effectsOf(deps.ledger, affected) });
}
