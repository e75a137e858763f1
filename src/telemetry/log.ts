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

/** Returns a logger. Errors belong under `err`: `log.error({ err }, 'what failed')`. */
export const createLogger = ({ level, destination = pino.destination(1) }: LogOptions): Logger =>
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

/** Returns the logger for one request: each of its lines has the id that the answer has in X-Request-ID. */
export const requestLogger = (logger: Logger, requestId: string): Logger => logger.child({ requestId });
