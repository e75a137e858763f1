/** What a command is given of its surroundings. */
import type { Clock } from '../domain/time.js';

export interface Terminal {
  /** What a script may read: the answer and nothing else. */
  out: (text: string) => void;
  err: (text: string) => void;
  clock: Clock;
}
