/**
 * How many questions to people a workload has open. People who are asked too often say yes to be left alone, so the number is bounded. The
 * record lies apart from the questions, which are each in the shard of their task, and goes by itself when the last of them has lapsed.
 */
import { z } from 'zod';
import { approvalStateAt } from '../domain/approval.js';
import { moment } from '../domain/schemas.js';
import { record } from '../store/record.js';
import { goingOn } from './approval-state.js';
import { readApprovals } from './approvals.js';
import { askingKey } from './keys.js';
import type { Ledger } from './ledger.js';
import { retryOnConflict } from './retry-on-conflict.js';

interface Question {
  id: string;
  /** When it lapses, in milliseconds. */
  until: number;
}

const schema = z.strictObject({ questions: z.array(z.strictObject({ id: z.string(), until: moment })) });
const asking = record(schema, askingKey, {
  expiresAt: ({ questions }) => Math.max(0, ...questions.map(({ until }) => until)),
});

/**
 * Enters a question that is about to be asked. If there is no room among those that are open, returns when the first of them lapses, and
 * enters nothing. Whoever enters one and then does not ask it has one fewer until it lapses, or until there is no room: then all are
 * looked up.
 */
export const enterQuestion = (
  ledger: Ledger,
  workload: string,
  { question, most }: { question: Question; most: number },
): Promise<{ fullUntil?: number }> =>
  retryOnConflict(ledger, async () => {
    const stored = await asking.read(ledger, workload);
    const now = ledger.clock.now();
    const listed = (stored?.value.questions ?? []).filter(({ until }) => until > now);
    const open = listed.length < most ? listed : await openAmong(ledger, listed);
    if (open.length >= most) return { fullUntil: Math.min(...open.map(({ until }) => until)) };
    const written = await asking.write(ledger, workload, stored, { questions: [...open, question] });
    return written && {};
  });

async function openAmong(ledger: Ledger, listed: readonly Question[]): Promise<Question[]> {
  const now = ledger.clock.now();
  const found = await readApprovals(
    ledger,
    listed.map(({ id }) => id),
  );
  const waiting = found.filter((one) => approvalStateAt(one, now) === 'pending');
  const living = await goingOn(
    ledger,
    waiting.map(({ task }) => task),
  );
  const open = new Set(waiting.flatMap(({ id, task }) => (living.has(task) ? [id] : [])));
  return listed.filter(({ id }) => open.has(id));
}
