/** A revocation by selector, whoever may order it: a caller that policy permits, or who has the store's credentials. */
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { defaultEffect, effectFits, isWellFormed, type Effect, type Selector } from '../domain/selector.js';
import { findCredential } from '../ledger/credentials.js';
import { receiptFor } from '../ledger/follow-receipts.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Receipt } from '../ledger/receipts.js';
import { readTask } from '../ledger/tasks.js';
import { revoke } from '../ledger/revoke.js';

interface Order {
  selector: Selector;
  effect: Effect;
  reason: string;
  actor: string;
  ticket?: string;
  /** With `hold`: when it is lifted by itself. Milliseconds. */
  liftAt?: number;
  /** Given where the same order may be carried out twice: there is one entry then. */
  id?: string;
}

/** Published first, counted after. */
export async function carryOut(ledger: Ledger, order: Order): Promise<Receipt> {
  const knownEnd = await endOf(ledger, order.selector);
  const entry = await revoke(ledger, defined({ ...order, knownEnd }));
  return receiptFor(ledger, entry);
}

/** The effect that is meant. Throws when the parts of an order do not fit each other. */
export function fittingEffect(
  selector: Selector,
  { effect = defaultEffect(selector.kind), liftAt }: { effect?: Effect; liftAt?: number },
  now: number,
): Effect {
  const mistake = !isWellFormed(selector)
    ? 'The selector value is missing or malformed for its kind.'
    : !effectFits(selector.kind, effect)
      ? `The effect "${effect}" does not fit a ${selector.kind}.`
      : liftAt !== undefined && effect !== 'hold'
        ? 'Only a hold can have "until".'
        : liftAt !== undefined && liftAt <= now
          ? 'The time in "until" is past.'
          : undefined;
  if (mistake !== undefined) throw new BrokerError('invalid_request', mistake);
  return effect;
}

/** Lets the log forget sooner. A store that cannot read now must not stop a revocation. */
async function endOf(ledger: Ledger, { kind, value }: Selector): Promise<number | undefined> {
  try {
    if (kind === 'task') return (await readTask(ledger, value))?.value.deadline;
    if (kind === 'credential') return (await findCredential(ledger, value))?.credential.expiresAt;
  } catch {
    return undefined;
  }
  return undefined;
}
