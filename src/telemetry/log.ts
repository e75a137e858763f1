/** The log: JSON lines on standard output. No token, key or assertion, whatever is handed to it. */
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

/** Errors go under `err`: `log.error({ err }, 'what failed')`. */
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

/** What is logged while answering one request carries the id that its answer carries in X-Request-ID. */
export const requestLogger = (logger: Logger, requestId: string): Logger => logger.child({ requestId });
