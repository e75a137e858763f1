/** The surroundings of a command, and what commands accept alike. */
import type { Readable } from 'node:stream';
import { InvalidArgumentError } from 'commander';
import type { Environment } from '../config/environment.js';
import { SELECTOR_KINDS, type SelectorKind } from '../domain/selector.js';
import { fromTimestamp, type SystemClock } from '../domain/time.js';

export interface Terminal {
  /** Prints the answer and nothing else: a script may read it. */
  out: (text: string) => void;
  err: (text: string) => void;
  /** Whether people read on a screen what `out` prints. */
  isScreen?: boolean;
  clock: SystemClock;
  /** Default: empty. */
  env?: Environment;
  /** What is piped in, or the keyboard of a person (`isTTY`). Default: nothing. */
  input?: Readable & { isTTY?: boolean };
}

/** Thrown by a command that decides with which code `mayfly` ends. */
export class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Returns an option that names a moment, as it is written: as in RFC 3339. */
export function timestampOf(text: string): string {
  if (fromTimestamp(text) !== undefined) return text;
  throw new InvalidArgumentError('It is written like 2027-01-31T09:30:00Z.');
}

/** Returns an argument that is the kind of a selector. */
export function selectorKindOf(text: string): SelectorKind {
  const kind = SELECTOR_KINDS.find((known) => known === text);
  if (!kind) throw new InvalidArgumentError(`It is one of ${SELECTOR_KINDS.join(', ')}.`);
  return kind;
}

/** Returns an argument that is the number of a revocation. */
export function revocationNumberOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(
    'It is the number that `mayfly revocations list` and `mayfly holds` show at the start of the line.',
  );
}

/** Returns an option that is a time. */
export function wholeSeconds(text: string): number {
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It is a whole number of seconds.');
}

/** The option of every command that opens the broker's store. */
export const CONFIG = ['-c, --config <file>', 'the configuration of the broker; default: MAYFLY_CONFIG'] as const;
