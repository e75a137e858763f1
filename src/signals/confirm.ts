/**
 * A person confirms or dismisses what a reaction wanted done and was held back from. Asked of policy is the very revocation it
 * comes to. The decision is written down before it is carried out: whoever finds it after a crash does the same.
 */
import { defined } from '../domain/defined.js';
import { auditRefusal } from '../authorization/audit-refusal.js';
import { permitOnBroker } from '../authorization/permit.js';
import { BrokerError } from '../domain/errors.js';
import type { Signal } from '../domain/signal.js';
import { withoutTokens } from '../domain/token-in-text.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { changeSignal, readSignal } from '../ledger/signals.js';
import { react } from './react.js';
import type { RevocationDeps } from '../revocation/revoke-by-selector.js';
import { unknownSignal } from './list.js';

interface Decision {
  signalId: string;
  verdict: 'confirm' | 'dismiss';
  reason?: string;
  requestId: string;
}

/** Deciding again what was decided the same way answers what stands. */
export async function decideSignal(
  deps: RevocationDeps,
  caller: AuthenticatedCaller,
  decision: Decision,
): Promise<Signal> {
  const { signalId, verdict, requestId } = decision;
  const stored = await readSignal(deps.ledger, signalId);
  await permitOnBroker(deps, caller, 'revoke', { requestId, revocation: wantedBy(stored?.value) });
  try {
    const decided = await decide(deps, caller.party.id, decision);
    return (decided.unfinished && (await react(deps, signalId))) || decided;
  } catch (error) {
    await auditRefusal(deps, error, caller, { type: 'operation.refused', verb: verdict, requestId });
    throw error;
  }
}

/** What confirming it would do. Where it would do nothing, whoever may do all learns that. */
function wantedBy(signal: Signal | undefined) {
  const { selector = { kind: 'all', value: '' }, do: does } = signal?.reaction ?? {};
  // Policy has no word for risk: who may hold somebody may also have them trusted less.
  const effect = does === 'end' || does === 'cutoff' ? does : 'hold';
  return { ...selector, effect, dryRun: false };
}

async function decide(
  { ledger }: Pick<RevocationDeps, 'ledger'>,
  by: string,
  { signalId, verdict, reason }: Decision,
): Promise<Signal> {
  const state = verdict === 'confirm' ? 'reacted' : 'dismissed';
  const at = ledger.clock.now();
  const decided = defined({ by, at, reason: reason === undefined ? undefined : withoutTokens(reason) });
  const signal = await changeSignal(ledger, signalId, (current) => {
    if (current.state !== 'pending' || !current.reaction) return undefined;
    // Nothing holds it back any more.
    const reaction = state === 'reacted' ? { ...current.reaction, because: undefined } : current.reaction;
    return { state, decided, reaction, unfinished: true };
  });
  if (!signal) throw unknownSignal();
  // Asked again: it was decided so before. What reacted by itself was put before nobody.
  if (signal.decided && signal.state === state) return signal;
  throw new BrokerError('conflict', `The signal is ${signal.state}; only one that is pending can be decided.`);
}
