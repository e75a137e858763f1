/**
 * Which questions to people an asker has asked lately. People who are asked too often say yes to be left alone, so the number is bounded:
 * a question takes a place for as long as questions wait, and only a yes frees it before. A no does not, nor does the end of the task or
 * taking the question back: else an agent that was refused could go on asking, in other words each time. The record lies apart from the
 * questions, which are each in the shard of their task, and goes by itself with the last of its places.
 */
import { z } from 'zod';
import { moment } from '../domain/schemas.js';
import type { Task } from '../domain/task.js';
import { record } from '../store/record.js';
import { readApprovals } from './approvals.js';
import { askingKey } from './keys.js';
import type { Ledger } from './ledger.js';
import { retryOnConflict } from './retry-on-conflict.js';

/**
 * Whose places they are: those of a workload for one person, who has proven to be served, or for nobody. One person who is refused
 * everything must not stop the agent from asking for others. A person who was only named would be as many as a workload likes.
 */
interface Asker {
  workload: string;
  person?: string | undefined;
}

export const askerOf = ({ workload, principal, principalProven }: Task): Asker => ({
  workload: workload.id,
  person: principalProven && principal?.kind === 'person' ? principal.id : undefined,
});

interface Question {
  id: string;
  /** When it was entered, and until when it has its place, in milliseconds. */
  at: number;
  until: number;
}

const schema = z.strictObject({ questions: z.array(z.strictObject({ id: z.string(), at: moment, until: moment })) });
const asking = record(schema, ({ workload, person }: Asker) => askingKey(workload, person), {
  expiresAt: ({ questions }) => Math.max(0, ...questions.map(({ until }) => until)),
});

/** So long a question has its place although no record of it is found: whoever entered it is about to write that. */
const ABOUT_TO_BE_ASKED_MS = 60_000;

/**
 * Enters a question that is about to be asked. If every place is taken, returns until when the first of them is, and enters nothing.
 * Whoever enters a question and then does not ask it gives its place back.
 */
export const enterQuestion = (
  ledger: Ledger,
  asker: Asker,
  { question, most }: { question: Question; most: number },
): Promise<{ fullUntil?: number }> =>
  retryOnConflict(ledger, async () => {
    const stored = await asking.read(ledger, asker);
    const now = ledger.clock.now();
    const listed = (stored?.value.questions ?? []).filter(({ until }) => until > now);
    const taken = listed.length < most ? listed : await notAgreedTo(ledger, listed);
    if (taken.length >= most) return { fullUntil: Math.min(...taken.map(({ until }) => until)) };
    const written = await asking.write(ledger, asker, stored, { questions: [...taken, question] });
    return written && {};
  });

/** Gives the place back of a question that nobody was asked. */
export async function leaveQuestion(ledger: Ledger, asker: Asker, id: string): Promise<void> {
  await retryOnConflict(ledger, async () => {
    const stored = await asking.read(ledger, asker);
    if (!stored) return true;
    const questions = stored.value.questions.filter((one) => one.id !== id);
    return (await asking.write(ledger, asker, stored, { questions })) && true;
  });
}

async function notAgreedTo(ledger: Ledger, listed: readonly Question[]): Promise<Question[]> {
  const now = ledger.clock.now();
  const found = await readApprovals(
    ledger,
    listed.map(({ id }) => id),
  );
  const asked = new Map(found.map((approval) => [approval.id, approval]));
  return listed.filter(({ id, at }) => {
    const approval = asked.get(id);
    return approval ? approval.usableUntil === undefined : now < at + ABOUT_TO_BE_ASKED_MS;
  });
}
