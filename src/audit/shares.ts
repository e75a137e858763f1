/**
 * Which events of a minute are entered whole: the first of each caller, and the first of each issuer, since one workload may
 * have any number of names. The others are counted, per caller and per issuer. All of it is in memory; each broker counts for
 * itself. The number of callers kept has a bound, and the number of issuers is that of the configuration.
 */
import { defined } from '../domain/defined.js';
import type { AuditEvent } from './event.js';
import { createTally, type Tally } from './tally.js';

interface Shares {
  /** Returns whether the event is to be entered whole. If not, it has been counted. */
  take(event: AuditEvent): boolean;
  /** Ends the minute: returns one event for each caller and each issuer of which something was counted. */
  endMinute(now: number): AuditEvent[];
  /** Counts again what such an event says, where the audit log did not take it. */
  putBack(event: AuditEvent): void;
}

/** Lines in a minute, the line with the count among them. */
export const LINES_PER_CALLER = 10;
export const LINES_PER_ISSUER = 40;
/** Of a caller that is held or cut off, and of a dead credential that somebody presents. */
const LINES_OF_THE_DEAD = 1;

interface Caller {
  actor: AuditEvent['actor'];
  credential: string | undefined;
  lines: number;
  linesMost: number;
  tally: Tally;
}

interface Issuer {
  id: string | undefined;
  lines: number;
  callers: Map<string, Caller>;
  /** Of callers that are not kept. */
  tally: Tally;
}

/** @param hasRoom Returns whether the store has room for such lines at all. */
export function createShares(hasRoom: () => boolean): Shares {
  let issuers = new Map<string, Issuer>();

  return {
    take(event) {
      const issuer = issuerOf(issuers, event);
      const caller = callerOf(issuer, event);
      if (caller && isLockedOut(event)) caller.linesMost = LINES_OF_THE_DEAD;
      if (caller && caller.lines < caller.linesMost && issuer.lines < LINES_PER_ISSUER && hasRoom()) {
        caller.lines += 1;
        issuer.lines += 1;
        return true;
      }
      (caller ?? issuer).tally.add(event);
      return false;
    },
    endMinute(now) {
      const ended = issuers;
      issuers = new Map();
      return [...ended].flatMap(([key, issuer]) => {
        const { events, next } = settle(issuer, now);
        if (next) issuers.set(key, next);
        return events;
      });
    },
    putBack(event) {
      if (!event.counted) return;
      const issuer = issuerOf(issuers, event);
      (callerOf(issuer, event) ?? issuer).tally.addAll(event.counted);
    },
  };
}

/**
 * Returns the lines of the minute that ends. They are written in the next minute and are part of its share, so a held caller
 * that goes on costs one line a minute and no more.
 */
function settle({ id, callers, tally }: Issuer, now: number): { events: AuditEvent[]; next?: Issuer } {
  const events: AuditEvent[] = [];
  const kept = new Map<string, Caller>();
  for (const [key, caller] of callers) {
    const counted = caller.tally.counted();
    if (!counted) continue;
    const { actor, credential } = caller;
    events.push({
      type: 'audit.counted',
      at: now,
      ...(actor && { actor }),
      ...(credential !== undefined && { credential }),
      counted,
    });
    kept.set(key, { ...caller, lines: 1, tally: createTally() });
  }
  const rest = tally.counted();
  if (rest)
    events.push({ type: 'audit.counted', at: now, counted: { ...rest, ...(id !== undefined && { issuer: id }) } });
  if (events.length === 0) return { events };
  return { events, next: { id, lines: events.length, callers: kept, tally: createTally() } };
}

/**
 * Sorts that share no lines. What others show to an API is kept apart from what the API asks for itself, and a dead credential of
 * this broker from junk: whoever shows junk must not use up the lines of the API, nor hide that a dead credential was shown.
 * And the refusals of one caller must not hide what another of its issuer was permitted to read, nor must an SDK that asks before
 * every call hide either, nor what policies on trial would have answered.
 */
function sortOf({
  type,
  verb,
  credential,
}: AuditEvent): 'tried' | 'refused' | 'permitted' | 'repeated' | 'shown' | 'dead' | 'denied' {
  if (type === 'introspection.inactive') return credential === undefined ? 'shown' : 'dead';
  if (type === 'audit.read' || type === 'revocation.previewed') return 'permitted';
  if (type === 'policy.trial') return 'tried';
  if (type === 'credential.given_again') return 'repeated';
  if (type === 'access.denied') return 'denied';
  return verb === 'introspect' || verb === 'evaluate' ? 'shown' : 'refused';
}

function issuerOf(issuers: Map<string, Issuer>, event: AuditEvent): Issuer {
  const id = event.actor?.issuer;
  const key = `${sortOf(event)}\n${id ?? ''}`;
  const issuer = issuers.get(key) ?? { id, lines: 0, callers: new Map<string, Caller>(), tally: createTally() };
  issuers.set(key, issuer);
  return issuer;
}

/** Returns undefined for a caller that the issuer's share has no room for. */
function callerOf({ callers }: Issuer, event: AuditEvent): Caller | undefined {
  const sort = sortOf(event);
  const isDead = sort === 'dead';
  const { actor } = event;
  // The API asks for many: the refusals of one credential must not use up the lines of the others.
  const credential = isDead || sort === 'denied' ? event.credential : undefined;
  const key = `${actor?.id ?? ''}\n${credential ?? ''}`;
  const known = callers.get(key);
  if (known || callers.size >= LINES_PER_ISSUER) return known;
  const linesMost = isDead ? LINES_OF_THE_DEAD : LINES_PER_CALLER;
  const caller = { actor: withoutSubject(actor), credential, lines: 0, linesMost, tally: createTally() };
  callers.set(key, caller);
  return caller;
}

/** A caller is counted as one, whichever of its runs asks. */
const withoutSubject = (actor: AuditEvent['actor']): AuditEvent['actor'] =>
  actor && defined({ id: actor.id, kind: actor.kind, issuer: actor.issuer });

/** Returns whether a hold or a cutoff refused it, and no decision of policy. */
const isLockedOut = ({ error, retry, decision }: AuditEvent): boolean =>
  error === 'access_denied' && decision === undefined && (retry === 'after-lift' || retry === 'later');
