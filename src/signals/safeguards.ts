/** What holds a reaction back: one word where several are asked for, the same again, too much at once. */
import { z } from 'zod';
import type { Reaction, SignalsConfig } from '../config/signals-schema.js';
import { FORGET_MARGIN_MS } from '../domain/limits.js';
import type { Cause } from '../domain/selector.js';
import type { Signal } from '../domain/signal.js';
import { retryOnConflict } from '../ledger/retry-on-conflict.js';
import type { Ledger } from '../ledger/ledger.js';
import { allowanceKey, brakeKey, reactionKey } from '../ledger/keys.js';

const moment = z.int().nonnegative();

const WORDS_MOST = 16;

/** What is remembered of one reaction and one subject. Bounded: sources are few, and the latest word of each counts. */
const memorySchema = z.strictObject({
  words: z
    .array(z.strictObject({ source: z.string(), at: moment }))
    .max(WORDS_MOST)
    .default([]),
  done: z.strictObject({ signal: z.string(), at: moment }).optional(),
});

type Memory = z.infer<typeof memorySchema>;

/** How many different sources have said so within the time of when this was heard, however late it is judged; this one included. */
export async function voices(
  ledger: Ledger,
  rule: Reaction,
  cause: Cause,
  { id, source, receivedAt }: Pick<Signal, 'id' | 'source' | 'receivedAt'>,
): Promise<number> {
  const withinMs = (rule.corroborate?.withinSeconds ?? 0) * 1000;
  const now = ledger.clock.now();
  const { words } = await remember(ledger, rule, cause, (memory) => {
    // What has led to the reaction once is spent: after a false alarm is lifted, all must say so again.
    const { done } = memory;
    // By a clock that was ahead it was done in a time that is still to come: that spends nothing.
    const spent = done && done.signal !== id && done.at <= now ? done.at : 0;
    const counts = (at: number) => at > spent && Math.abs(at - receivedAt) < withinMs;
    const others = memory.words.filter((word) => word.source !== source && counts(word.at));
    return { ...memory, words: [...others, { source, at: receivedAt }].slice(-WORDS_MOST) };
  });
  return words.length;
}

/** Whether another signal had it done a moment ago. */
export async function wasDone(
  { records, clock }: Ledger,
  rule: Reaction,
  cause: Cause,
  { id, dedupeSeconds }: { id: string; dedupeSeconds: number },
): Promise<boolean> {
  const [text] = await records.read([reactionKey(rule.name, cause)]);
  const { done } = parsed(text);
  return done !== undefined && done.signal !== id && stands(done, clock.now(), dedupeSeconds);
}

/** Either way: a clock that was set back must not keep reactions away until it has caught up. */
const stands = ({ at }: { at: number }, now: number, dedupeSeconds: number): boolean =>
  Math.abs(now - at) < dedupeSeconds * 1000;

/** Claims the reaction for this signal. False: another signal claimed it a moment ago, and once is enough. */
export async function claim(
  ledger: Ledger,
  rule: Reaction,
  cause: Cause,
  { id, dedupeSeconds }: { id: string; dedupeSeconds: number },
): Promise<boolean> {
  const now = ledger.clock.now();
  const { done } = await remember(ledger, rule, cause, (memory) => {
    return memory.done && stands(memory.done, now, dedupeSeconds)
      ? memory
      : { ...memory, done: { signal: id, at: now } };
  });
  return done?.signal === id;
}

/**
 * Takes so many tasks out of this minute's allowance, once for each signal: it may be judged by two brokers at once, or again
 * after a crash. False: they are more than is left, and nothing is taken.
 */
export async function withinAllowance(
  ledger: Ledger,
  { id, tasks }: { id: string; tasks: number },
  { maxTasksPerMinute }: Pick<SignalsConfig, 'maxTasksPerMinute'>,
): Promise<boolean> {
  if (tasks === 0) return true;
  const { records, clock } = ledger;
  const now = clock.now();
  const [all, own] = [brakeKey(Math.floor(now / 60_000)), allowanceKey(id)];
  return retryOnConflict(ledger, async () => {
    const [text, taken] = await records.read([all, own]);
    if (taken !== undefined) return true;
    const used = Number(text ?? 0) + tasks;
    if (used > maxTasksPerMinute) return false;
    const until = now + FORGET_MARGIN_MS;
    const done = await records.commit({
      expect: [
        [all, text],
        [own, undefined],
      ],
      put: [
        [all, String(used), until],
        [own, String(tasks), until],
      ],
    });
    return done ? true : undefined;
  });
}

function remember(
  ledger: Ledger,
  { name, corroborate }: Reaction,
  cause: Cause,
  change: (memory: Memory) => Memory,
): Promise<Memory> {
  const { records, clock } = ledger;
  const key = reactionKey(name, cause);
  const keptMs = Math.max(3_600, corroborate?.withinSeconds ?? 0) * 1000 + FORGET_MARGIN_MS;
  return retryOnConflict(ledger, async () => {
    const [text] = await records.read([key]);
    const next = change(parsed(text));
    const put = JSON.stringify(next);
    if (put === text) return next;
    const done = await records.commit({ expect: [[key, text]], put: [[key, put, clock.now() + keptMs]] });
    return done ? next : undefined;
  });
}

const parsed = (text: string | undefined): Memory =>
  text === undefined ? { words: [] } : memorySchema.parse(JSON.parse(text));
