/** The surroundings of a command, and what commands accept alike. */
import { InvalidArgumentError } from 'commander';
import { fromTimestamp, type SystemClock } from '../domain/time.js';

export interface Terminal {
  /** Prints the answer and nothing else: a script may read it. */
  out: (text: string) => void;
  err: (text: string) => void;
  clock: SystemClock;
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

/** The option of every command that opens the broker's store. */
export const CONFIG = ['-c, --config <file>', 'the configuration of the broker; default: MAYFLY_CONFIG'] as const;
