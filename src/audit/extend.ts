/**
 * Extends the chain by compare-and-set on its head, so that any number of brokers add each entry exactly once. When a
 * commit times out, the store is read: if the batch is there, it was added, otherwise the attempt is repeated. A commit
 * that timed out may still be applied, but only while the head is unchanged. If it is applied, our retry fails its
 * comparison; if our retry wins, the late one fails.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { BrokerError } from '../domain/errors.js';
import type { Change, Records } from '../store/store.js';
import { extendChain, type EntryText } from './chain.js';
import { BATCHES, batchKey, formatBatch, HEAD, parseBatch, parseHead, type Head } from './head.js';

const LONGEST_PAUSE_MS = 64;

interface Extension {
  entries: EntryText[];
  /** Other changes of the head, in the same commit. */
  head?: Partial<Pick<Head, 'followed' | 'checkpoint'>>;
  also?: Pick<Change, 'remove' | 'unindex'>;
}

/**
 * Returns what to add to a chain with this head, or undefined for nothing. It is called again when another broker wrote
 * first.
 */
export type Decide = (head: Head) => Extension | undefined | Promise<Extension | undefined>;

/** Returns whether something was added. `since` is when the caller began to wait, by the monotonic clock. */
export type Extend = (decide: Decide, since?: number) => Promise<boolean>;

/** Returns the function that extends the chain. Its calls must not overlap: see `takingTurns` in appender.ts. */
export function extender(records: Records, giveUpAfterMs: number): Extend {
  let known: Known | undefined;

  return async (decide, since = performance.now()) => {
    const id = randomBytes(9).toString('base64url');
    const turn: Turn = { id, known };
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await tryOnce(records, turn, decide).catch((error: unknown) => ({ error }));
      // After a conflict other brokers write too, and the head known here is soon old. The next call reads it first.
      known = attempt === 0 ? turn.known : undefined;
      if (outcome === 'added' || outcome === 'nothing') return outcome === 'added';
      if (performance.now() - since > giveUpAfterMs) throw unwritable(outcome);
      await pause(randomInt(1, Math.min(2 ** (attempt + 2), LONGEST_PAUSE_MS)));
    }
  };
}

interface Known {
  head: Head;
  text: string | undefined;
}

interface Turn {
  id: string;
  /** The head as last read or written. Undefined: it must be read. */
  known: Known | undefined;
  /** The number of the first line of a batch that may or may not have been stored. */
  tried?: number;
}

async function tryOnce(records: Records, turn: Turn, decide: Decide): Promise<'added' | 'nothing' | 'missed'> {
  if (!turn.known && (await gotIn(records, turn))) return 'added';
  const { head, text } = turn.known ?? { head: parseHead(undefined), text: undefined };
  const extension = await decide(head);
  if (!extension) return 'nothing';

  const { lines, end } = extendChain(head, extension.entries);
  const first = head.seq + 1;
  const next: Head = { ...head, ...extension.head, ...end };
  const nextText = JSON.stringify(next);
  turn.tried = first;
  turn.known = undefined;
  const committed = await records.commit({
    ...extension.also,
    expect: [[HEAD, text]],
    put: [
      [HEAD, nextText],
      [batchKey(first), formatBatch({ id: turn.id, lines })],
    ],
    index: [[BATCHES, String(first), end.seq]],
  });
  if (!committed) return 'missed';
  turn.known = { head: next, text: nextText };
  return 'added';
}

/** Reads the head, and returns whether an earlier attempt of this turn was stored after all. */
async function gotIn(records: Records, turn: Turn): Promise<boolean> {
  const [text, batch] = await records.read([HEAD, ...(turn.tried === undefined ? [] : [batchKey(turn.tried)])]);
  if (batch !== undefined && parseBatch(batch).id === turn.id) return true;
  turn.known = { head: parseHead(text), text };
  return false;
}

const unwritable = (outcome: 'missed' | { error: unknown }): BrokerError =>
  new BrokerError(
    'temporarily_unavailable',
    'The audit log cannot be written now, so the request was not carried out.',
    {
      retryAfterSeconds: 1,
      ...(outcome !== 'missed' && { cause: outcome.error }),
    },
  );
