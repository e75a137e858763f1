/**
 * A person confirms or dismisses a pending reaction. Policy is asked about the very revocation that confirming would
 * publish. The decision is stored before it is carried out, so that any broker can finish it after a crash.
 */
import type { Permitted } from '../authorization/permission.js';
import type { PermitDeps } from '../authorization/permit.js';
import { permitRevocation } from '../authorization/permit-revocation.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { EVERYTHING } from '../domain/selector.js';
import type { Signal } from '../domain/signal.js';
import { withoutTokens } from '../domain/token-in-text.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { changeSignal, readSignal } from '../ledger/signals.js';
import type { RevocationDeps } from '../revocation/revoke-by-selector.js';
import { unknownSignal } from './list.js';
import { react } from './react.js';

interface Decision {
  verdict: 'confirm' | 'dismiss';
  reason?: string;
}

/** A signal whose reaction the caller may carry out; undefined when there is no signal with that id. */
type PermittedDecision = Permitted<'revoke', { signal: Signal | undefined }>;

export async function permitDecision(
  deps: PermitDeps,
  caller: AuthenticatedCaller,
  signalId: string,
): Promise<PermittedDecision> {
  const signal = (await readSignal(deps.ledger, signalId))?.value;
  return permitRevocation(deps, caller, { signal }, revocationOf);
}

/** A second decision to the same effect returns the signal as it stands. */
export async function decideSignal(
  deps: RevocationDeps,
  { caller, subject: { signal } }: PermittedDecision,
  decision: Decision,
): Promise<Signal> {
  if (!signal) throw unknownSignal();
  const decided = await decide(deps, caller, signal, decision);
  return (decided.unfinished && (await react(deps, signal.id))) || decided;
}

/**
 * Returns the revocation that policy is asked about. Without a signal or a reaction it is a hold of `all`: only whoever may
 * place that learns that there is nothing to decide.
 */
export function revocationOf({ signal }: { signal: Signal | undefined }) {
  const { selector = EVERYTHING, do: does } = signal?.reaction ?? {};
  // Policy has no action for risk. Whoever may hold a subject may also raise its risk.
  const effect = does === 'end' || does === 'cutoff' ? does : 'hold';
  return { ...selector, effect, dryRun: false };
}

async function decide(
  { ledger }: Pick<RevocationDeps, 'ledger'>,
  { party, trace }: AuthenticatedCaller,
  permitted: Signal,
  { verdict, reason }: Decision,
): Promise<Signal> {
  const state = verdict === 'confirm' ? 'reacted' : 'dismissed';
  const { clock } = ledger;
  const at = verdict === 'confirm' ? clock.unchecked() : clock.now();
  const decided = defined({
    by: party.id,
    at,
    reason: reason === undefined ? undefined : withoutTokens(reason),
    ...trace,
  });
  const signal = await changeSignal(ledger, permitted.id, (current) => {
    if (current.state !== 'pending' || !current.reaction) return undefined;
    // The signal got its reaction after policy was asked, so policy was not asked about this revocation.
    if (permitted.state !== 'pending') throw evaluatedMeanwhile();
    // The reason why it was pending no longer applies.
    const reaction = state === 'reacted' ? { ...current.reaction, because: undefined } : current.reaction;
    return { state, decided, reaction, unfinished: true };
  });
  if (!signal) throw unknownSignal();
  // The same decision was made before. A signal that reacted by itself was never put before a person, and conflicts.
  if (signal.decided && signal.state === state) return signal;
  throw new BrokerError('conflict', `The signal is ${signal.state}; only one that is pending can be decided.`);
}

const evaluatedMeanwhile = () =>
  new BrokerError('conflict', 'The signal was evaluated meanwhile. Decide about it again.', { retry: 'later' });
