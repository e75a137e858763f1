/**
 * One log line for each request: who was proven, what was asked, what came of it. Whoever is not proven, or is refused, can ask
 * as often as it likes, so the lines of a minute have a bound; what is beyond it is counted.
 */
import { defined } from '../domain/defined.js';
import { isFailure, type BrokerError } from '../domain/errors.js';
import { masked } from '../domain/text.js';
import type { Logger } from './log.js';

/**
 * What is known of a request beside its answer. All of it was proven or is configured; only `claimed` was merely sent. No token
 * and no query string is ever among it.
 */
export interface Noted {
  workload?: string;
  person?: string;
  /** The trust name of the issuer that proved the caller. */
  issuer?: string;
  /** The transmitter whose event was verified. */
  transmitter?: string;
  target?: string;
  task?: string;
  /** Returns what a proof that was not accepted says of itself, from texts that anybody could write. */
  claimed?: () => { iss?: string; kid?: string };
  /** What an operator should look at, where the answer has a format of its own. */
  advice?: string | undefined;
  /** Why an event was refused, where the answer has a format of its own. */
  reason?: string;
  /** What went wrong although there was an answer. */
  trouble?: Error;
}

interface RequestLine {
  requestId: string;
  /** From where it came, as far as known: see `trustProxy`. */
  address: string | undefined;
  /** A path of the route table, never the path that was requested. */
  endpoint: string;
  method: string;
  status: number;
  seconds: number;
  noted: Noted;
  /** The refusal that was answered. */
  error: BrokerError | undefined;
  /** Whether machines ask for it every few seconds: then an answer is a line at level debug only. */
  polled: boolean;
}

export interface RequestLog {
  write(line: RequestLine): void;
  /** Ends the minute: writes how many requests got no line. */
  endMinute(): void;
}

/** Lines in a minute of all whose caller was not proven, and of what the callers of one issuer are refused. */
export const LINES_PER_MINUTE = 600;
const REASON_CHARACTERS = 512;

interface Share {
  /** Whose requests these are, for the line with the count. */
  of: { refused?: boolean; issuer?: string; transmitter?: string };
  linesLeft: number;
  unlogged: number;
}

/** @param answeredPerMinute Lines in a minute about requests of the callers of one issuer that were not refused. */
export function createRequestLog(log: Logger, answeredPerMinute: number): RequestLog {
  let shares = new Map<string, Share>();

  function shareOf({ status, noted: { issuer, transmitter } }: RequestLine): Share {
    const isProven = issuer !== undefined || transmitter !== undefined;
    const refused = isProven ? status >= 400 : undefined;
    const key = `${refused ?? 'stranger'}\n${issuer ?? ''}\n${transmitter ?? ''}`;
    const linesLeft = refused === false ? answeredPerMinute : LINES_PER_MINUTE;
    let share = shares.get(key);
    if (!share) shares.set(key, (share = { of: defined({ refused, issuer, transmitter }), linesLeft, unlogged: 0 }));
    return share;
  }

  return {
    write(line) {
      const level = levelOf(line);
      if (!log.isLevelEnabled(level)) return;
      const share = shareOf(line);
      if (share.linesLeft === 0) share.unlogged += 1;
      else {
        share.linesLeft -= 1;
        log[level](fieldsOf(line), 'request');
      }
    },
    endMinute() {
      for (const { of, unlogged } of shares.values())
        if (unlogged > 0) log.warn({ ...of, unlogged }, 'requests were counted and not logged one by one');
      shares = new Map();
    },
  };
}

/** Bugs are errors, outages are warnings. A refusal is normal work. */
function levelOf({ error, noted, polled }: RequestLine): 'error' | 'warn' | 'info' | 'debug' {
  if (error?.code === 'server_error') return 'error';
  if ((error && isFailure(error)) || noted.trouble) return 'warn';
  return polled ? 'debug' : 'info';
}

/** What is undefined is left out by the logger. */
function fieldsOf({ requestId, address, endpoint, method, status, seconds, noted, error }: RequestLine): object {
  const { workload, person, transmitter, target, task, claimed, reason = error?.message, trouble } = noted;
  return {
    requestId,
    address,
    endpoint,
    method,
    status,
    code: error?.code,
    reason: reason === undefined ? undefined : masked(reason.slice(0, REASON_CHARACTERS)),
    decisionId: error?.details.decision?.id,
    workload,
    person,
    transmitter,
    target,
    task,
    claimed: claimed?.(),
    milliseconds: Math.round(seconds * 10_000) / 10,
    advice: noted.advice ?? error?.details.advice,
    err: error && isFailure(error) ? error : trouble,
  };
}
