/**
 * Which questions to people an asker has asked lately. People who are asked too often say yes to be left alone, so the number is bounded:
 * a question takes a place for as long as questions wait, and only a yes frees it before. A no does not, nor does the end of the task or
 * taking the question back: else an agent that was refused could go on asking, in other words each time. The record lies apart from the
 * questions, which are each in the shard of their task, and goes by itself with the last of its places.
 */
import { z } from 'zod';
import { isUnsettled, type Approval } from '../domain/approval.js';
import { moment } from '../domain/schemas.js';
import type { Task } from '../domain/task.js';
import { record } from '../store/record.js';
import { readApprovalState } from './approval-state.js';
import { readApprovals } from './approvals.js';
import { askingKey } from './keys.js';
import type { Ledger } from './ledger.js';
import { retryOnConflict } from './retry-on-conflict.js';

/**
 * Whose places they are: those of a workload for one person, who has proven to be served, or for nobody; and of each party that opens
 * tasks for it, which has proven who it is. One person who is refused everything must not stop the agent from asking for others, nor one
 * opener from working for another. A person who was only named would be as many as a workload likes.
 */
interface Asker {
  workload: string;
  person?: string | undefined;
  /** Absent where that is the workload or the person. */
  opener?: string | undefined;
}

export function askerOf({ workload, principal, principalProven, openedBy }: Task): Asker {
  const person = principalProven && principal?.kind === 'person' ? principal.id : undefined;
  const isOther = openedBy && ![workload.id, person].includes(openedBy.id);
  return { workload: workload.id, person, opener: isOther ? openedBy.id : undefined };
}

interface Question {
  id: string;
  /** A digest of what is asked, and under which task, or how that is opened. Of those with the same words at once one is asked. */
  words: string;
  /** When it was entered, and until when it has its place, in milliseconds. */
  at: number;
  until: number;
}

/** The place of a question, or of one that requests of the same words are about to ask: each under an id of its own. */
const placeSchema = z.strictObject({ words: z.string(), ids: z.array(z.string()).min(1), at: moment, until: moment });
type Place = z.infer<typeof placeSchema>;

const asking = record(z.strictObject({ places: z.array(placeSchema) }), askingKey, {
  expiresAt: ({ places }) => Math.max(0, ...places.map(({ until }) => until)),
});

/** So long a question has its place although no record of it is found: whoever entered it is about to write that. */
const ABOUT_TO_BE_ASKED_MS = 60_000;

/** `asked`: another request of the same words was faster. Of `full`: until when the first of the places is taken, milliseconds. */
type Entered = { now: 'entered' | 'asked' } | { now: 'full'; until: number };

/**
 * Enters a question that is about to be asked, if there is a place for it. Whoever enters a question and then does not ask it gives its
 * place back.
 * @param known what was asked last by the same words, as far as whoever asks has seen
 */
export const enterQuestion = (
  ledger: Ledger,
  asker: Asker,
  { question, most, known }: { question: Question; most: number; known: string | undefined },
): Promise<Entered> =>
  retryOnConflict(ledger, async () => {
    const stored = await asking.read(ledger, asker);
    const now = ledger.clock.now();
    const places = (stored?.value.places ?? []).filter(({ until }) => until > now);
    const same = places.findLast(({ words }) => words === question.words);
    const isFull = places.length >= most;
    const askedIn = await readAsked(ledger, isFull ? places : places.filter((one) => one === same));
    const before = same && askedIn(same);
    if (before && before.id !== known && isUnsettled(await readApprovalState(ledger, before))) return { now: 'asked' };
    // It is not asked yet: those who are about to ask it share its place, since one of them will.
    const shared = before ? undefined : same;
    const untilOf = (place: Place) => untilWhen(place, askedIn(place));
    const taken = places.filter((place) => place !== shared && (!isFull || untilOf(place) > now));
    if (taken.length >= most) return { now: 'full', until: Math.min(...taken.map(untilOf)) };
    const { id, words, at, until } = question;
    const place = { words, ids: [...(shared?.ids ?? []), id], at, until };
    const written = await asking.write(ledger, asker, stored, { places: [...taken, place] });
    return written && { now: 'entered' };
  });

/** Gives the place back of a question that nobody was asked, unless others are about to ask the same. */
export async function leaveQuestion(ledger: Ledger, asker: Asker, id: string): Promise<void> {
  await retryOnConflict(ledger, async () => {
    const stored = await asking.read(ledger, asker);
    if (!stored) return true;
    const left = stored.value.places.map((place) => ({ ...place, ids: place.ids.filter((one) => one !== id) }));
    const places = left.filter(({ ids }) => ids.length > 0);
    return (await asking.write(ledger, asker, stored, { places })) && true;
  });
}

/** Reads which questions were asked of those that have these places. */
async function readAsked(ledger: Ledger, places: readonly Place[]): Promise<(place: Place) => Approval | undefined> {
  const found = await readApprovals(
    ledger,
    places.flatMap(({ ids }) => ids),
  );
  const asked = new Map(found.map((approval) => [approval.id, approval]));
  return ({ ids }) => ids.map((id) => asked.get(id)).find((approval) => approval !== undefined);
}

/** Returns until when a place is taken. A yes frees it at once. */
function untilWhen({ at, until }: Place, asked: Approval | undefined): number {
  if (!asked) return at + ABOUT_TO_BE_ASKED_MS;
  return asked.usableUntil === undefined ? until : asked.askedAt;
}
