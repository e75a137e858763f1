/**
 * Which approvals a requester has asked for lately. People who are asked too often say yes to be left alone, so the number is bounded: an
 * approval takes a place for as long as approvals wait, and only a yes frees it before. A no does not, nor does the end of the task or
 * cancelling it: else an agent that was refused could go on asking, in other words each time. The record lies apart from the approvals,
 * which are each in the shard of their task, and goes by itself with the last of its places.
 */
import { z } from 'zod';
import { isUnsettled, type Approval } from '../domain/approval.js';
import { moment } from '../domain/schemas.js';
import type { Task } from '../domain/task.js';
import { record } from '../store/record.js';
import { readApprovalState } from './approval-state.js';
import { readApprovals } from './approvals.js';
import { approvalQuotaKey } from './keys.js';
import type { Ledger } from './ledger.js';
import { retryOnConflict } from './retry-on-conflict.js';

/**
 * Whose places they are: those of a workload for one person, who has proven to be served, or for nobody; and of each party that opens
 * tasks for it, or hands work on to it, which has proven who it is, or that it has a live credential. One person who is refused everything must not stop the agent from asking for others, nor one
 * opener from working for another. A person who was only named would be as many as a workload likes.
 */
interface Requester {
  workload: string;
  person?: string | undefined;
  /** Absent where that is the workload or the person. */
  opener?: string | undefined;
}

export function requesterOf({ workload, principal, principalProven, openedBy, handedOn, chain }: Task): Requester {
  const person = principalProven && principal?.kind === 'person' ? principal.id : undefined;
  // Of what was handed on, whoever has shown the credential is the workload itself: the nearest above it gave it that.
  const opener = (openedBy ?? (handedOn && chain?.[0]))?.id;
  return { workload: workload.id, person, opener: opener === workload.id || opener === person ? undefined : opener };
}

interface WantedPlace {
  id: string;
  /** The digest of the request (`approvals/request-digest.ts`). Of those that ask the same at once, one asks people. */
  words: string;
  /** When it was entered, and until when it has its place, in milliseconds. */
  at: number;
  until: number;
}

/** The place of an approval, or of one that the same requests are about to ask for: each under an id of its own. */
const placeSchema = z.strictObject({ words: z.string(), ids: z.array(z.string()).min(1), at: moment, until: moment });
type Place = z.infer<typeof placeSchema>;

const quota = record(z.strictObject({ places: z.array(placeSchema) }), approvalQuotaKey, {
  expiresAt: ({ places }) => Math.max(0, ...places.map(({ until }) => until)),
});

/** So long an approval has its place although no record of it is found: whoever took it is about to write that. */
const ABOUT_TO_BE_ASKED_MS = 60_000;

/** `asked`: another of the same requests was faster. Of `full`: until when the first of the places is taken, milliseconds. */
type Outcome = { now: 'taken' | 'asked' } | { now: 'full'; until: number };

/**
 * Takes a place for an approval that is about to be asked for, if there is one. Whoever then does not ask for it frees the place.
 * @param known what was asked for last by the same request, as far as whoever asks has seen
 */
export const takePlace = (
  ledger: Ledger,
  requester: Requester,
  { place: wanted, most, known }: { place: WantedPlace; most: number; known: string | undefined },
): Promise<Outcome> =>
  retryOnConflict(ledger, async () => {
    const stored = await quota.read(ledger, requester);
    const now = ledger.clock.now();
    const places = (stored?.value.places ?? []).filter(({ until }) => until > now);
    const same = places.findLast(({ words }) => words === wanted.words);
    const isFull = places.length >= most;
    const askedIn = await readAsked(ledger, isFull ? places : places.filter((one) => one === same));
    const before = same && askedIn(same);
    if (before && before.id !== known && isUnsettled(await readApprovalState(ledger, before))) return { now: 'asked' };
    // It is not asked yet: those who are about to ask it share its place, since one of them will.
    const shared = before ? undefined : same;
    const untilOf = (place: Place) => untilWhen(place, askedIn(place));
    const taken = places.filter((place) => place !== shared && (!isFull || untilOf(place) > now));
    if (taken.length >= most) return { now: 'full', until: Math.min(...taken.map(untilOf)) };
    const { id, words, at, until } = wanted;
    const place = { words, ids: [...(shared?.ids ?? []), id], at, until };
    const written = await quota.write(ledger, requester, stored, { places: [...taken, place] });
    return written && { now: 'taken' };
  });

/** Frees the place of an approval that nobody was asked for, unless others are about to ask the same. */
export async function freePlace(ledger: Ledger, requester: Requester, id: string): Promise<void> {
  await retryOnConflict(ledger, async () => {
    const stored = await quota.read(ledger, requester);
    if (!stored) return true;
    const left = stored.value.places.map((place) => ({ ...place, ids: place.ids.filter((one) => one !== id) }));
    const places = left.filter(({ ids }) => ids.length > 0);
    return (await quota.write(ledger, requester, stored, { places })) && true;
  });
}

/** Reads which of those that have these places were asked for. */
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
