/**
 * The one way in which anything ends early (G3): completion, deadline, missed heartbeats, operators, signals and detectors
 * all publish here. When the publication is acknowledged, everything under the selector is dead; what follows is bookkeeping.
 */
import { defined } from '../domain/defined.js';
import { newId } from '../domain/id.js';
import { forgettableAt } from '../domain/liveness.js';
import { causeOf, type Effect, type Selector } from '../domain/selector.js';
import type { RequestTrace } from '../domain/request-trace.js';
import type { Outcome } from '../domain/task-outcome.js';
import { withoutTokens } from '../domain/token-in-text.js';
import type { LogEntry } from '../domain/tombstone.js';
import type { Ledger } from './ledger.js';

export interface Revocation {
  selector: Selector;
  effect: Effect;
  reason: string;
  actor: string;
  /** The request that wants it. */
  trace?: RequestTrace;
  /** The reaction that places it. Never taken from a request. */
  reaction?: string;
  /** Who reported what the reaction acts on. */
  source?: string;
  /** With `end`; default `revoked`. */
  outcome?: Outcome;
  ticket?: string;
  /** With `hold`: when it is lifted without an order. Milliseconds. */
  liftAt?: number;
  /** The last moment anything under the selector can live, when known: lets the log forget sooner. Milliseconds. */
  knownEnd?: number;
  /** Whether anything is known by the selector. For the receipt alone. */
  seen?: boolean;
  /** Given where the same decision may be published twice, e.g. by two sweeps: both publications then get the same entry. */
  id?: string;
}

export async function revoke({ log, clock }: Ledger, revocation: Revocation): Promise<LogEntry> {
  const { selector, effect, reason, actor, outcome, ticket, liftAt, knownEnd, id, seen, reaction, source, trace } =
    revocation;
  // Later is safer: a cutoff refuses identity tokens issued before this, and the log remembers it for as long after this.
  const at = clock.unchecked();
  const entry = await log.publish(
    defined({
      id: id ?? newId('rev'),
      cause: causeOf(selector),
      selector,
      effect,
      ...(effect === 'end' && { outcome: outcome ?? 'revoked' }),
      at,
      until: forgettableAt(selector.kind, at, knownEnd),
      liftAt,
      reason: withoutTokens(reason),
      ticket: ticket === undefined ? undefined : withoutTokens(ticket),
      actor,
      ...trace,
      reaction,
      source,
      seen,
    }),
  );
  if (!entry) throw new Error('the log published nothing');
  return entry;
}

/**
 * Lifts a hold. Returns undefined when it is no hold, or is lifted already. What was born before the hold stays dead. A broker
 * with a wrong clock lifts nothing.
 */
export function lift(
  { log, clock }: Ledger,
  hold: Pick<LogEntry, 'seq' | 'selector'>,
  by: Pick<Revocation, 'actor' | 'reason' | 'id' | 'trace'>,
): Promise<LogEntry | undefined> {
  const at = clock.now();
  return log.publish({
    id: by.id ?? newId('rev'),
    cause: causeOf(hold.selector),
    selector: hold.selector,
    effect: 'lift',
    lifts: hold.seq,
    at,
    until: forgettableAt(hold.selector.kind, at),
    reason: withoutTokens(by.reason),
    actor: by.actor,
    ...by.trace,
  });
}
