/** Describes an entry in one line for people, from ids, names and fixed words. Free text of the entry is not repeated. */
import { formatSelector } from '../domain/selector.js';
import { toTimestamp } from '../domain/time.js';
import type { AuditEntry } from './event.js';

export function describeEntry(entry: AuditEntry): string {
  const { revocation, signal, approval } = entry;
  if (revocation) return describeRevocation(revocation, entry.outcome);
  if (signal) return describeSignal(signal);
  if (approval && entry.type.startsWith('approval.')) return describeApproval(entry, approval);
  return describeOther(entry);
}

type Part<K extends 'revocation' | 'signal' | 'approval'> = NonNullable<AuditEntry[K]>;

function describeRevocation(
  { effect, selector, seq, lifts, liftAt }: Part<'revocation'>,
  outcome: string | undefined,
): string {
  const what = effect === 'lift' ? `hold ${lifts ?? ''} lifted, of` : `${effect} of`;
  const how = [
    ...(seq === undefined ? [] : [`revocation ${seq}`]),
    ...(outcome === undefined ? [] : [outcome]),
    ...(liftAt === undefined ? [] : [`until ${toTimestamp(liftAt)}`]),
  ];
  return `${what} ${formatSelector(selector)}${inBrackets(how)}`;
}

/** The question, an answer to it, or its end. */
function describeApproval(
  entry: AuditEntry,
  { id, says, groups = [], lapsesAt, lifetimeSeconds }: Part<'approval'>,
): string {
  const { actor, workload = 'a workload', principal } = entry;
  const seconds = lifetimeSeconds === undefined ? '' : ` for ${lifetimeSeconds} seconds`;
  const what = `${accessed(entry)}${seconds}`;
  const by = actor?.id ?? 'somebody';
  if (says === 'deny') return `${id}: ${by} denies ${workload} ${what}`;
  if (says === 'approve') return `${id}: ${by} agrees, for ${groups.join(' and ')}, to ${workload} at ${what}`;
  if (says === 'emergency') return `${id}: EMERGENCY declared by ${by}: ${workload} at ${what}`;
  if (entry.type === 'approval.reviewed') return `${id}: ${by} has reviewed the emergency of ${workload} at ${what}`;
  if (entry.type === 'approval.cancelled') return `${id}: the question of ${workload} is taken back`;
  const served = principal === undefined ? '' : ` for ${principal}`;
  const wanted = groups.length === 0 ? '' : `: wanted are ${groups.join(' and ')}`;
  return `${id}: ${workload}${served} asks for ${what}${wanted}${lapsesAt === undefined ? '' : `, until ${toTimestamp(lapsesAt)}`}`;
}

function describeSignal({ event, level, source, about, state, reaction }: Part<'signal'>): string {
  const of = about.length > 0 ? about.map((one) => formatSelector(one)).join(', ') : 'nobody known here';
  return `${event} ${level} from ${source} about ${of}: ${state}${reaction ? ` by ${describeReaction(reaction)}` : ''}`;
}

function describeReaction({
  rule,
  do: act,
  selector,
  level,
  tasks,
  seq,
  because,
}: NonNullable<Part<'signal'>['reaction']>): string {
  const what = act === 'risk' ? `risk ${level ?? ''}`.trim() : act;
  const how = [
    selector ? `${what} of ${formatSelector(selector)}` : what,
    ...(tasks === undefined ? [] : [`tasks: ${tasks}`]),
    ...(seq === undefined ? [] : [`revocation ${seq}`]),
  ];
  return `${rule}${inBrackets(how)}${because === undefined ? '' : `. ${because}`}`;
}

function describeOther(entry: AuditEntry): string {
  const { type, credential, target, task, error, verb, outcome, missing } = entry;
  switch (type) {
    case 'credential.granted':
      return `${credential ?? 'a credential'} for ${accessed(entry)}${until(entry)}`;
    case 'credential.given_again':
      return `${credential ?? 'a credential'} given again${until(entry)}`;
    case 'credential.refused':
      return `no credential for ${accessed(entry)}: ${error ?? 'refused'}`;
    case 'task.opened':
      return `${task ?? 'a task'} opened for ${entry.workload ?? 'a workload'}${until(entry)}${goesOn(entry)}`;
    case 'introspection.inactive':
      return `${presented(entry)}: not active`;
    case 'access.permitted':
      return `${presented(entry)}: used for ${accessed(entry)}, ${entry.times ?? 1} times`;
    case 'access.denied':
      return `${presented(entry)}: refused ${accessed(entry)}`;
    case 'access.reported':
      return `${presented(entry)}: ${outcome ?? 'used'} ${accessed(entry)}, ${entry.times ?? 1} times, says ${entry.actor?.id ?? 'somebody'}`;
    case 'operation.refused':
      if ((verb === 'introspect' || verb === 'evaluate') && error === 'access_denied')
        return `${presented(entry)}: not permitted to ask`;
      return `${verb ?? 'an operation'} refused: ${error ?? 'refused'}`;
    case 'audit.counted':
      return describeCounts(entry);
    case 'signal.decided_all':
      return `${describeTogether(entry)} dismissed`;
    case 'revocation.lifted_all':
      return `${describeTogether(entry)} lifted`;
    case 'signal.muted':
      return `${entry.muted?.source ?? 'a source'} muted until ${toTimestamp(entry.muted?.until ?? 0)}`;
    case 'signal.unmuted':
      return `${entry.muted?.source ?? 'a source'} no longer muted`;
    case 'policy.trial':
      return `${verb ?? accessed(entry)}: ${entry.trial?.instead.outcome ?? 'answered'}; policies on trial: ${entry.trial?.would.outcome ?? 'otherwise'}`;
    case 'audit.gap':
      return `revocations ${missing?.from ?? ''} to ${missing?.to ?? ''} are missing here`;
    default:
      return [type, task ?? '', credential ?? '', target ?? '', outcome ?? ''].filter((word) => word !== '').join(' ');
  }
}

const presented = ({ credential = 'something unknown', target }: AuditEntry): string =>
  `${credential} presented${target === undefined ? '' : ` at ${target}`}`;

function describeCounts({ actor, credential, counted }: AuditEntry): string {
  const events = counted?.events ?? [];
  const sum = events.reduce((so, { count }) => so + count, 0);
  const whose = actor ? `of ${actor.id}` : `of callers of ${counted?.issuer ?? 'an issuer'}`;
  const about = credential === undefined ? '' : ` about ${credential}`;
  const sorts = events.map(({ type, verb, error, count }) => [type, verb, error, count].filter(Boolean).join(' '));
  return `${sum} more ${whose}${about}${inBrackets(sorts)}`;
}

function describeTogether({ type, together }: AuditEntry): string {
  const { count = 0, source, reaction, subject } = together ?? {};
  const filter = Object.entries({ source, reaction, subject }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return `${count} ${type === 'signal.decided_all' ? 'pending signals' : 'holds'}${inBrackets(filter)}`;
}

function accessed({ target = 'a target', access = [], accessOmitted }: AuditEntry): string {
  const pairs = [
    ...access.map(({ path, actions }) => `${path}:${actions.join('+')}`),
    ...(accessOmitted === undefined ? [] : [`and ${accessOmitted} more`]),
  ];
  return `${target}${inBrackets(pairs)}`;
}

const until = ({ expiresAt }: AuditEntry): string =>
  expiresAt === undefined ? '' : `, until ${toTimestamp(expiresAt)}`;

const goesOn = ({ continues }: AuditEntry): string => (continues === undefined ? '' : `, goes on with ${continues}`);

const inBrackets = (parts: string[]): string => (parts.length > 0 ? ` (${parts.join(', ')})` : '');
