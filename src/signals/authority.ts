/**
 * The authority of a source: whose workloads, persons and tasks it may speak of, by trust names. A signal about others changes
 * nothing, and no reaction to it reaches further: whoever may name a person's task must not reach the workload that serves
 * everybody.
 */
import type { Trust } from '../config/trust-schema.js';
import type { Reaction, SignalsConfig } from '../config/signals-schema.js';
import { taskCauses } from '../domain/hangs-on.js';
import { causeOf, type Selector } from '../domain/selector.js';
import { DETECTOR, type Signal } from '../domain/signal.js';
import type { Task } from '../domain/task.js';
import { principalStarts } from '../identity/party-from-id.js';
import { findCredential } from '../ledger/credentials.js';
import type { Ledger } from '../ledger/ledger.js';
import { readTask } from '../ledger/tasks.js';

interface AuthoritySettings {
  trust: readonly Trust[];
  signals: Pick<SignalsConfig, 'transmitters' | 'about'>;
}

/** Returns the trust names that a source may speak of. The name of a transmitter has no colon; the id of a caller has one. */
export function subjectScope({ trust, signals }: AuthoritySettings, source: Signal['source']): readonly string[] {
  const everybody = trust.map(({ name }) => name);
  if (source === DETECTOR) return everybody;
  if (source.includes(':')) return signals.about ?? everybody;
  return signals.transmitters.find(({ name }) => name === source)?.about ?? [];
}

/**
 * Returns what a reaction hits: the subject of the signal, or what it belongs to. Undefined: the subject has no such thing, its
 * members contradict each other, or the source may not speak of it. Nothing is guessed.
 */
export async function resolveReactionTarget(
  { ledger, settings }: { ledger: Ledger; settings: AuthoritySettings },
  { about, source }: Pick<Signal, 'about' | 'source'>,
  covers: Reaction['covers'],
): Promise<Selector | undefined> {
  const narrowest = RANKED.map((kind) => about.find((selector) => selector.kind === kind)).find((one) => one);
  if (!narrowest) return undefined;
  const task = await taskOf(ledger, narrowest);
  // All members of a subject must hold at once: a task together with a person matches nobody if the task is not that person's.
  if (!about.every((selector) => selector === narrowest || (task && holdsOf(task, selector)))) return undefined;
  if (covers === undefined || covers === narrowest.kind) return narrowest;
  const scope = subjectScope(settings, source);
  const found = task ? partOf(task, covers) : issuerOf(settings.trust, narrowest, covers);
  return found && found.issuers.some((name) => scope.includes(name)) ? found.selector : undefined;
}

const RANKED = ['credential', 'task', 'workload', 'principal', 'issuer'] as const;

async function taskOf(ledger: Ledger, { kind, value }: Selector): Promise<Task | undefined> {
  if (kind === 'task') return (await readTask(ledger, value))?.value;
  return kind === 'credential' ? (await findCredential(ledger, value))?.task : undefined;
}

/**
 * A task ends when its opener is revoked, but the opener does not own it. A signal about the opener must not reach the workload
 * that runs the task.
 */
const holdsOf = (task: Task, selector: Selector): boolean =>
  selector.kind === 'workload' ? task.workload.id === selector.value : taskCauses(task).includes(causeOf(selector));

/** What a subject belongs to. A source may reach it if its scope has at least one of these trust names. */
interface Part {
  selector: Selector;
  issuers: string[];
}

function partOf(task: Task, covers: NonNullable<Reaction['covers']>): Part | undefined {
  const { id, workload, principal = workload } = task;
  switch (covers) {
    case 'task':
      return { selector: { kind: 'task', value: id }, issuers: [workload.issuer, principal.issuer] };
    case 'workload':
      return { selector: { kind: 'workload', value: workload.id }, issuers: [workload.issuer] };
    case 'principal':
      return { selector: { kind: 'principal', value: principal.id }, issuers: [principal.issuer] };
    case 'issuer':
      return { selector: { kind: 'issuer', value: workload.issuer }, issuers: [workload.issuer] };
    default:
      return undefined;
  }
}

function issuerOf(trust: readonly Trust[], { kind, value }: Selector, covers: Reaction['covers']): Part | undefined {
  if (covers !== 'issuer' || (kind !== 'workload' && kind !== 'principal')) return undefined;
  const found = trust.find((one) => principalStarts(one).some((start) => value.startsWith(start)));
  return found && { selector: { kind: 'issuer', value: found.name }, issuers: [found.name] };
}
