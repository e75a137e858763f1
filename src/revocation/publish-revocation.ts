/** Publishes a revocation whose parts fit each other. Whether anybody may is asked before, by whoever publishes. */
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { defaultEffect, effectFits, valueProblem, type Effect, type Selector } from '../domain/selector.js';
import { findCredential } from '../ledger/credentials.js';
import { receiptFor } from '../ledger/follow-receipts.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Receipt } from '../ledger/receipts.js';
import { revoke, type Revocation } from '../ledger/revoke.js';
import { readTask } from '../ledger/tasks.js';

/** Publishes a revocation without asking whether anybody may: for reactions, and for whoever has the store's credentials. */
export async function publishRevocation(
  ledger: Ledger,
  revocation: Omit<Revocation, 'outcome' | 'knownEnd'>,
): Promise<Receipt> {
  const knownEnd = await knownEndOf(ledger, revocation.selector);
  const entry = await revoke(ledger, defined({ ...revocation, knownEnd }));
  return receiptFor(ledger, entry);
}

/**
 * Returns when what the selector names ends anyway, so that the log can forget its tombstone sooner; undefined if that is
 * unknown. A store that cannot be read now must not stop a revocation, so errors count as unknown.
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

/**
 * Returns the effect that is asked for, or the usual one for the selector. Throws if the parts of the request do not fit
 * each other.
 */
export function fittingEffect(
  selector: Selector,
  { effect = defaultEffect(selector.kind), liftAt }: { effect?: Effect; liftAt?: number },
  now: number,
): Effect {
  const problem = valueProblem(selector);
  if (problem !== undefined) throw invalid(`The selector value is missing or malformed for its kind: it ${problem}.`);
  if (!effectFits(selector.kind, effect)) throw invalid(`The effect "${effect}" does not fit a ${selector.kind}.`);
  if (liftAt !== undefined && effect !== 'hold') throw invalid('Only a hold can have "until".');
  if (liftAt !== undefined && liftAt <= now) throw invalid('The time in "until" is past.');
  return effect;
}

const invalid = (text: string): BrokerError => new BrokerError('invalid_request', text);
