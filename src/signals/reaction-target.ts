/**
 * From the subject of a signal to what a reaction covers: itself, or what it belongs to. Never a guess, and never beyond those
 * its source may speak of: whoever may name a person's task must not reach the workload that serves everybody.
 */
import { taskCauses } from '../domain/hangs-on.js';
import { prefixOf } from '../identity/party-from-id.js';
import type { Reaction } from '../config/signals-schema.js';
import type { Trust } from '../config/schema.js';
import { emailValue } from '../domain/party.js';
import { causeOf, type Selector } from '../domain/selector.js';
import type { Signal } from '../domain/signal.js';
import type { Task } from '../domain/task.js';
import { findCredential } from '../ledger/credentials.js';
import type { Ledger } from '../ledger/ledger.js';
import { readTask } from '../ledger/tasks.js';
import { maySpeakOf } from './authority.js';

/** Undefined: the subject has no such thing, or does not hold together. */
export async function coveredBy(
  { ledger, settings }: { ledger: Ledger; settings: Parameters<typeof maySpeakOf>[0] },
  { about, source }: Pick<Signal, 'about' | 'source'>,
  covers: Reaction['covers'],
): Promise<Selector | undefined> {
  const narrowest = RANKED.map((kind) => about.find((selector) => selector.kind === kind)).find((one) => one);
  if (!narrowest) return undefined;
  const task = await taskOf(ledger, narrowest);
  // A subject of several members is all of them at once: who names a task and a person names nobody if it is not that person's.
  if (!about.every((selector) => selector === narrowest || (task && holdsOf(task, selector)))) return undefined;
  if (covers === undefined || covers === narrowest.kind) return narrowest;
  const speaksOf = maySpeakOf(settings, source);
  const found = task ? partOf(task, covers) : issuerOf(settings.trust, narrowest, covers);
  return found && found.issuers.some((name) => speaksOf.includes(name)) ? found.selector : undefined;
}

const RANKED = ['credential', 'task', 'workload', 'principal', 'issuer'] as const;

async function taskOf(ledger: Ledger, { kind, value }: Selector): Promise<Task | undefined> {
  if (kind === 'task') return (await readTask(ledger, value))?.value;
  return kind === 'credential' ? (await findCredential(ledger, value))?.task : undefined;
}

/** A task dies with whoever opened it, but is not theirs: or their refusals would stop the workload that works on it. */
const holdsOf = (task: Task, selector: Selector): boolean =>
  selector.kind === 'workload' ? task.workload.id === selector.value : taskCauses(task).includes(causeOf(selector));

/** With the trust names of those it belongs to. */
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
  const found = trust.find((one) => startsOf(one).some((start) => value.startsWith(start)));
  return found && { selector: { kind: 'issuer', value: found.name }, issuers: [found.name] };
}

/** A trust name stands before the first colon of an id, or within an address; a SPIFFE ID has its trust domain in its place. */
const startsOf = (trust: Trust): string[] =>
  trust.kind === 'spiffe' ? [prefixOf(trust)] : [prefixOf(trust), emailValue(trust.name, '')];
