/** The surroundings of a command. */
import type { Clock } from '../domain/time.js';

export interface Terminal {
  /** Prints the answer and nothing else: a script may read it. */
  out: (text: string) => void;
  err: (text: string) => void;
  clock: Clock;
}
