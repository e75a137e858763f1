/**
 * Tells the broker what was applied and when, so that receipts name this verifier and the time to deny is measured. Nothing
 * depends on it: what cannot be told is dropped.
 */
import { ask, asBearer, type Connection } from '../client/request.js';
import { ACKNOWLEDGED_MOST, WAITED_MS_MOST } from '../protocol/feed.js';
import { ageOf, instant, type Instant } from './instant.js';

/** Revocations come in bursts, and one call tells of many. */
const GATHER_MS = 1_000;

interface Applied {
  seq: number;
  generation: string;
  /** Whether a receipt is kept of it. Of the others, only the latest is told. */
  receipt: boolean;
}

export function createAcknowledger(connection: Connection, instance: string) {
  let gathered: (Applied & { at: Instant })[] = [];
  let timer: NodeJS.Timeout | undefined;
  const closing = new AbortController();

  function tell(): void {
    timer = undefined;
    const told = gathered;
    gathered = [];
    const generation = told.at(-1)?.generation;
    const body = () => ({ generation, instance, applied: told.map(entryOf) });
    void ask(connection, {
      path: '/revocations/feed/ack',
      // The waiting is counted anew before each attempt.
      prove: (token) => asBearer({ body: body() })(token),
      signal: closing.signal,
    }).catch(() => undefined);
  }

  return {
    /** An entry of the log was applied at this moment. */
    note(applied: Applied): void {
      const last = gathered.at(-1);
      if (last && last.generation !== applied.generation) gathered = [];
      else if (last?.receipt === false) gathered.pop();
      if (gathered.length < ACKNOWLEDGED_MOST) gathered.push({ ...applied, at: instant() });
      timer ??= setTimeout(tell, GATHER_MS).unref();
    },
    close(): void {
      clearTimeout(timer);
      closing.abort();
    },
  };
}

const entryOf = ({ seq, at }: { seq: number; at: Instant }) => ({
  seq,
  waitedMs: Math.min(WAITED_MS_MOST, Math.max(0, Math.round(ageOf(at, instant())))),
});
