/**
 * Reacts to a signal. A signal is evaluated once, and the decision is stored before it is carried out, so that another
 * broker, or this one after a crash, does the same. A reaction revokes by the one publication (G3), under an id derived
 * from the signal.
 */
import type { AuditEvent } from '../audit/event.js';
import { defined } from '../domain/defined.js';
import { sha256Bytes } from '../domain/digest.js';
import { newId, shardOf } from '../domain/id.js';
import { reactionActor } from '../domain/reserved.js';
import { causeOf } from '../domain/selector.js';
import type { ReactionDone, Signal } from '../domain/signal.js';
import { eachSettled } from '../ledger/each-settled.js';
import { setRisk } from '../ledger/risk.js';
import { changeSignal, readSignal, takeSignal, overdueSignals } from '../ledger/signals.js';
import { publishRevocation } from '../revocation/publish-revocation.js';
import { evaluateSignal, type EvaluateDeps } from './evaluate.js';

export interface ReactDeps extends EvaluateDeps {
  audit: { append(event: AuditEvent): Promise<void> };
}

/** Returns the signal as it stands afterwards. Undefined: it is gone or finished, or another broker works on it. */
export async function react(deps: ReactDeps, id: string): Promise<Signal | undefined> {
  const stored = await readSignal(deps.ledger, id);
  if (!stored) return undefined;
  if (stored.value.state !== 'accepted') return stored.value.unfinished && finish(deps, stored.value);
  const evaluation = await evaluateSignal(deps, stored.value);
  // Of two brokers that evaluate it at the same time, the one that writes first goes on.
  const taken = await takeSignal(deps.ledger, { id, from: 'accepted' }, () => ({ ...evaluation, unfinished: true }));
  return taken && finish(deps, taken);
}

const auditedSignal = ({ id, source, event, level, about, state, reaction, reason }: Signal) =>
  defined({
    signal: defined({ id, source, event, level, about, state, reaction }),
    reason,
  });

/**
 * The audit entry comes last, so that the reaction does not wait for it. After a crash it may be written twice; it is never
 * missing.
 */
async function finish(deps: ReactDeps, signal: Signal): Promise<Signal | undefined> {
  const { state, reaction, decided } = signal;
  const isToAct = state === 'reacted' && reaction && reaction.seq === undefined;
  const done = isToAct
    ? { ...signal, reaction: await act(deps, signal, decided?.by ?? reactionActor(reaction.rule)) }
    : signal;
  await deps.audit.append({ ...explained(done), at: deps.ledger.clock.unchecked() });
  const then = await changeSignal(deps.ledger, signal.id, (current) =>
    // Somebody may have confirmed or dismissed the signal meanwhile. That decision stays, and is still to be carried out.
    current.unfinished && current.state === state
      ? { ...(isToAct && { reaction: done.reaction }), unfinished: undefined }
      : undefined,
  );
  return then ?? undefined;
}

const explained = (signal: Signal): Omit<AuditEvent, 'at'> => {
  const audited = auditedSignal(signal);
  const { decided } = signal;
  if (!decided) return { type: 'signal.evaluated', ...audited };
  const { by, reason, requestId, address } = decided;
  return defined({ type: 'signal.decided', actor: { id: by }, signal: audited.signal, reason, requestId, address });
};

async function act({ ledger, settings }: ReactDeps, signal: Signal, actor: string): Promise<ReactionDone> {
  const { reaction, event, source } = signal;
  if (!reaction?.selector) throw new Error('a reaction without a subject');
  const { selector, rule, holdSeconds } = reaction;
  const now = ledger.clock.unchecked();
  const why = `${event} from ${source}`;
  switch (reaction.do) {
    case 'record':
      return reaction;
    case 'risk': {
      const { level = 'HIGH' } = reaction;
      const { riskStepSeconds: stepSeconds } = settings.signals;
      const risk = { level, at: now, stepSeconds, signal: signal.id, why };
      await setRisk(ledger, causeOf(selector), risk);
      return reaction;
    }
    default: {
      const { seq, affected } = await publishRevocation(
        ledger,
        defined({
          id: publicationId(signal),
          selector,
          effect: reaction.do,
          reason: `${why}: ${signal.reason ?? rule}`,
          actor,
          // The actor may be a person who confirmed it. The ticket tells people which reaction it was; `reaction` is the proof.
          ticket: reactionActor(rule),
          reaction: rule,
          source,
          liftAt: holdSeconds === undefined ? undefined : now + holdSeconds * 1000,
        }),
      );
      return defined({ ...reaction, tasks: affected?.tasks ?? reaction.tasks, seq });
    }
  }
}

/**
 * Returns the publication id for the reaction to a signal. The same signal always publishes under the same id, so the log
 * takes it once. The form of a revocation id gives it a receipt.
 */
const publicationId = ({ id }: Signal): string => newId('rev', shardOf(id), sha256Bytes(`reaction to ${id}`));

/** How many signals of each shard one run expires; the next run takes the rest. */
const EXPIRED_AT_ONCE = 100;

/** Records signals for which no further source, or no person, came in time. */
export async function expirePendingSignals(deps: ReactDeps): Promise<void> {
  const { waiting, pending } = await overdueSignals(deps.ledger, EXPIRED_AT_ONCE);
  await eachSettled(waiting, (id) => expire(deps, id, 'waiting', 'Too few sources reported it in time.'));
  await eachSettled(pending, (id) => expire(deps, id, 'pending', 'Nobody has confirmed it within a day.'));
}

/** The new state is stored first, as with every evaluation: after a crash any broker writes the audit entry. */
async function expire(deps: ReactDeps, id: string, from: Signal['state'], because: string): Promise<void> {
  const taken = await takeSignal(deps.ledger, { id, from }, ({ reaction }) => ({
    state: 'recorded',
    // It is undefined in the record too: a patch without it would leave the old value.
    waitsUntil: undefined,
    unfinished: true,
    ...(reaction && { reaction: { ...reaction, because } }),
  }));
  if (taken) await react(deps, id);
}
