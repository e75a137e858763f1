/**
 * The authority of a source: whose workloads, persons and tasks it may speak of, by trust names. A signal about others changes
 * nothing, and no reaction to it reaches further: whoever may name a person's task must not reach the workload that serves
 * everybody.
 */
import type { Trust } from '../config/trust-schema.js';
import type { Reaction, SignalsConfig } from '../config/signals-schema.js';
import { taskCauses } from '../domain/hangs-on.js';
import { emailValue, prefixOf } from '../domain/party.js';
import { causeOf, type Selector } from '../domain/selector.js';
import { DETECTOR, type Signal } from '../domain/signal.js';
import type { Task } from '../domain/task.js';
import { principalStarts } from '../identity/party-from-id.js';
import { findCredential } from '../ledger/credentials.js';
import type { Ledger } from '../ledger/ledger.js';
import { onlyPartyOf } from '../ledger/seen.js';
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
 * Returns who is behind a signal. A caller may have many names, for example one for each branch of a repository. So all callers of
 * one trust entry are one, except those that the reaction names in `from`. A trust entry is
 * returned as the beginning of its ids (`lab:`), which is never the name of a transmitter.
 */
export function originOf(trust: readonly Trust[], { from = [] }: Pick<Reaction, 'from'>, source: string): string {
  const entry = from.includes(source) ? undefined : trust.find((one) => source.startsWith(prefixOf(one)));
  return entry ? prefixOf(entry) : source;
}

/** What a reaction hits, and whose budget it takes from. */
export interface ReactionTarget {
  selector: Selector;
  /** The id of the workload or person that is hit: of a task, credential, run or session, that whose it is. Of an issuer: its trust name. */
  party: string;
  /** The trust name of whoever is hit; empty where it is not known any more. */
  issuer: string;
}

/**
 * Returns what a reaction hits: the subject of the signal, or what it belongs to. Undefined: the subject has no such thing, its
 * members contradict each other, or the source may not speak of it. Nothing is guessed.
 */
export async function resolveReactionTarget(
  { ledger, settings }: { ledger: Ledger; settings: AuthoritySettings },
  signal: Pick<Signal, 'about' | 'source' | 'event'>,
  covers: Reaction['covers'],
): Promise<ReactionTarget | undefined> {
  const { about, source } = signal;
  const narrowest = RANKED.map((kind) => about.find((selector) => selector.kind === kind)).find((one) => one);
  if (!narrowest) return undefined;
  const task = await taskOf(ledger, narrowest);
  // All members of a subject must hold at once: a task together with a person matches nobody if the task is not that person's.
  const party = await partyBehind(ledger, narrowest, task);
  const holds = (selector: Selector) =>
    task ? holdsOf(task, selector) : isPersonOf(settings.trust, selector, { session: narrowest, party });
  if (!about.every((selector) => selector === narrowest || holds(selector))) return undefined;
  if (source === DETECTOR && !findingReaches(signal, narrowest, covers ?? narrowest.kind)) return undefined;
  const whose = { task, party };
  const selector =
    covers === undefined || covers === narrowest.kind
      ? narrowest
      : wider(settings, source, { narrowest, covers, ...whose });
  return selector && { selector, ...whoIsHit(settings.trust, selector, whose) };
}

/** To whom the subject of a signal belongs: a task, a credential, a run of a workload or a session of a person. */
interface Whose {
  task: Task | undefined;
  /** The workload that runs it, or the person, as far as known. A subject with which several called has none. */
  party: string | undefined;
}

const partyBehind = async (
  ledger: Ledger,
  { kind, value }: Selector,
  task: Task | undefined,
): Promise<string | undefined> =>
  kind === 'subject' || kind === 'session' ? onlyPartyOf(ledger, { kind, value }) : task?.workload.id;

/**
 * Returns whether a member of a subject names the person whose session another member names. An address is taken for the person's,
 * if it is of the same issuer: they may have another one since they logged in.
 */
function isPersonOf(
  trust: readonly Trust[],
  { kind, value }: Selector,
  { session, party }: { session: Selector; party: string | undefined },
): boolean {
  if (session.kind !== 'session' || kind !== 'principal') return false;
  const issuer = vouchingFor(trust, session.value)?.name;
  return value === party || (issuer !== undefined && value.startsWith(emailValue(issuer, '')));
}

/** Returns what the subject belongs to, if the source may speak of it. */
function wider(
  settings: AuthoritySettings,
  source: string,
  { narrowest, covers, task, party }: Whose & { narrowest: Selector; covers: NonNullable<Reaction['covers']> },
): Selector | undefined {
  const scope = subjectScope(settings, source);
  const found = task ? partOf(task, covers) : partOfParty(settings.trust, narrowest, covers, party);
  return found && found.issuers.some((name) => scope.includes(name)) ? found.selector : undefined;
}

/** Tasks, credentials, runs and sessions count as their party: one that has many must not use up what is there for others. */
function whoIsHit(
  trust: readonly Trust[],
  { kind, value }: Selector,
  { task, party }: Whose,
): Pick<ReactionTarget, 'party' | 'issuer'> {
  if (kind === 'issuer') return { party: value, issuer: value };
  if (task && (kind === 'task' || kind === 'credential'))
    return { party: task.workload.id, issuer: task.workload.issuer };
  const one = kind === 'subject' || kind === 'session' ? (party ?? value) : value;
  return { party: one, issuer: vouchingFor(trust, value)?.name ?? '' };
}

/**
 * A finding of a detector reaches what it is about, and of a credential the task. Who presented a credential, or worked under a
 * task, may be a thief or led on by others, so its workload, person and issuer are not reached; and whoever presents a token that a
 * hold or cutoff refuses is not the party that the token names.
 */
const findingReaches = (
  { about, event }: Pick<Signal, 'about' | 'event'>,
  narrowest: Selector,
  reached: Selector['kind'],
): boolean =>
  event !== 'ended-identity' &&
  (about.some(({ kind }) => kind === reached) || (narrowest.kind === 'credential' && reached === 'task'));

const RANKED = ['credential', 'task', 'session', 'subject', 'workload', 'principal', 'issuer'] as const;

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

function partOfParty(
  trust: readonly Trust[],
  { kind, value }: Selector,
  covers: Reaction['covers'],
  party: string | undefined,
): Part | undefined {
  if (kind !== 'subject' && kind !== 'session' && kind !== 'workload' && kind !== 'principal') return undefined;
  const issuer = vouchingFor(trust, value)?.name;
  if (issuer === undefined) return undefined;
  if (covers === 'issuer') return { selector: { kind: 'issuer', value: issuer }, issuers: [issuer] };
  const itsParty = { subject: 'workload', session: 'principal', workload: undefined, principal: undefined }[kind];
  if (covers === undefined || covers !== itsParty || party === undefined) return undefined;
  return { selector: { kind: covers, value: party }, issuers: [issuer] };
}

/** Returns the trust entry to which a workload, a person or an address belongs. */
const vouchingFor = (trust: readonly Trust[], value: string): Trust | undefined =>
  trust.find((one) => principalStarts(one).some((start) => value.startsWith(start)));
