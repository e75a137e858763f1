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
  const options = { dest: 1, sync: false, minLength: TOGETHER_BYTES, maxLength: WAITING_BYTES_MAX };
  const output = pino.destination(options);
  const log = loggerTo(together(output), level);
  let dropped = 0;
  output.on('drop', () => (dropped += 1));
  output.on('drain', () => {
    if (dropped > 0) log.warn({ dropped }, 'lines were dropped: standard output is read too slowly');
    dropped = 0;
  });
  return log;
}

/** Lines are written together: for each write Node asks another thread, which costs more than the line itself. */
const TOGETHER_BYTES = 8 * 1024;
/** A line waits at most this long for others. */
const TOGETHER_MS = 50;

/** Returns a stream that has its lines written after `TOGETHER_MS`, or as soon as they are `TOGETHER_BYTES`. */
function together(output: ReturnType<typeof pino.destination>): DestinationStream {
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    timer = undefined;
    output.flush();
  };
  const flushSoon = () => {
    timer ??= setTimeout(flush, TOGETHER_MS).unref();
  };
  // Nothing is flushed while a write is under way. What came meanwhile is written next; when that is nothing, this ends.
  output.on('write', (bytes) => {
    if (bytes > 0) flushSoon();
  });
  return {
    write(line) {
      output.write(line);
      flushSoon();
    },
  };
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
