/** The log: JSON lines on standard output. Tokens, keys and assertions are removed from every line. */
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from 'pino';
import type { Config } from '../config/schema.js';
import { safeError } from './safe-error.js';
import { scrub } from './scrub.js';

export type { Logger };

interface LogOptions {
  level: Config['log']['level'];
  /** Default: standard output. */
  destination?: DestinationStream;
}

/** Lines that wait in memory for a slow reader of standard output. Beyond it they are dropped, and then counted in a line. */
const WAITING_BYTES_MAX = 8 * 1024 * 1024;

/** Returns a logger. Errors belong under `err`: `log.error({ err }, 'what failed')`. */
export function createLogger({ level, destination }: LogOptions): Logger {
  if (destination) return loggerTo(destination, level);
  // Not synchronous: a reader that hangs would hold up every request. What waits is still written when the process exits.
  const output = pino.destination({ dest: 1, sync: false, maxLength: WAITING_BYTES_MAX });
  const log = loggerTo(output, level);
  let dropped = 0;
  output.on('drop', () => (dropped += 1));
  output.on('drain', () => {
    if (dropped > 0) log.warn({ dropped }, 'lines were dropped: standard output is read too slowly');
    dropped = 0;
  });
  return log;
}

const loggerTo = (destination: DestinationStream, level: LogOptions['level']): Logger =>
  pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: (error: unknown) => safeError(error), error: (error: unknown) => safeError(error) },
      hooks: { streamWrite: scrub },
    },
    destination,
  );
