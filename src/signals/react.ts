/**
 * What is done about a signal. Judged once: what is to be done is written down before it is done, so that whoever comes after
 * a crash, or beside another broker, does the same. Whatever dies of it dies by the one publication (G3), under the signal's
 * own id.
 */
import { defined } from '../domain/defined.js';
import { createHash } from 'node:crypto';
import type { AuditEvent } from '../audit/event.js';
import { newId, shardOf } from '../domain/id.js';
import { causeOf } from '../domain/selector.js';
import type { ReactionDone, Signal } from '../domain/signal.js';
import { setRisk } from '../ledger/risk.js';
import { changeSignal, readSignal, takeSignal } from '../ledger/signals.js';
import { carryOut } from '../revocation/order.js';
import { actorOf, judge, type JudgeDeps } from './evaluate.js';

export interface ReactDeps extends JudgeDeps {
  audit: { append(event: AuditEvent): Promise<void> };
}

/** Undefined: it is gone, or all is done about it, or another broker is at it. */
export async function react(deps: ReactDeps, id: string): Promise<Signal | undefined> {
  const stored = await readSignal(deps.ledger, id);
  if (!stored) return undefined;
  if (stored.value.state !== 'accepted') return stored.value.unfinished && finish(deps, stored.value);
  const judgement = await judge(deps, stored.value);
  // Of two brokers that judge it at once, the one that writes first goes on.
  const judged = await takeSignal(deps.ledger, { id, from: 'accepted' }, () => ({ ...judgement, unfinished: true }));
  return judged && finish(deps, judged);
}

const auditedSignal = ({ id, source, event, level, about, state, reaction, reason }: Signal) =>
  defined({
    signal: defined({ id, source, event, level, about, state, reaction }),
    reason,
  });

/** The audit entry comes last, and may come twice: a reaction waits for nothing, and none goes unexplained. */
async function finish(deps: ReactDeps, signal: Signal): Promise<Signal | undefined> {
  const { state, reaction, decided } = signal;
  const isToAct = state === 'reacted' && reaction && reaction.seq === undefined;
  const done = isToAct
    ? { ...signal, reaction: await act(deps, signal, decided?.by ?? actorOf(reaction.rule)) }
    : signal;
  await deps.audit.append({ ...explained(done), at: deps.ledger.clock.now() });
  const then = await changeSignal(deps.ledger, signal.id, (current) =>
    // Somebody may have confirmed or dismissed it meanwhile: that stands, and is still to be done.
    current.unfinished && current.state === state
      ? { ...(isToAct && { reaction: done.reaction }), unfinished: undefined }
      : undefined,
  );
  return then ?? undefined;
}

const explained = (signal: Signal): Omit<AuditEvent, 'at'> => {
  const { signal: told } = auditedSignal(signal);
  const { decided } = signal;
  if (!decided) return { type: 'signal.judged', ...auditedSignal(signal) };
  const { by, reason } = decided;
  return defined({ type: 'signal.decided', actor: { id: by }, signal: told, reason });
};

async function act({ ledger, settings }: ReactDeps, signal: Signal, actor: string): Promise<ReactionDone> {
  const { reaction, event, source } = signal;
  const { selector, rule, holdSeconds } = reaction ?? {};
  if (!reaction || !selector) throw new Error('a reaction without a subject');
  const now = ledger.clock.now();
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
      const { seq } = await carryOut(
        ledger,
        defined({
          id: publicationId(signal),
          selector,
          effect: reaction.do,
          reason: `${why}: ${signal.reason ?? rule ?? ''}`,
          actor,
          // Whoever confirmed it: under its ticket the reaction knows its own again.
          ticket: rule === undefined ? undefined : actorOf(rule),
          liftAt: holdSeconds === undefined ? undefined : now + holdSeconds * 1000,
        }),
      );
      return { ...reaction, seq };
    }
  }
}

/** Looks like any revocation, so that it has a receipt; and the same signal never gets two. */
const publicationId = ({ id }: Signal): string =>
  newId('rev', shardOf(id), createHash('sha256').update(`reaction to ${id}`).digest());
