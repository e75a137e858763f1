/**
 * What a process has seen of the revocation log. It never uses an answer of a log that lacks what it has seen: an older state
 * of the log, or another one, would revive what was revoked. Generations are numbered, so that an older one is told from a
 * newer one, which another broker has installed.
 */
import { randomBytes } from 'node:crypto';
import { defined } from '../domain/defined.js';
import { orderOf } from '../domain/liveness.js';
import type { Known, Look, Place } from '../store/store.js';

export interface KnownLog extends Known {
  generation: string;
}

/** The latest that was seen of a log: what is kept of it outside the store. */
export interface Mark {
  generation: string;
  /** Where it was seen. There its number is enough, also when the entry itself is no longer kept. */
  home?: string;
  /** The latest entry; absent before the first. */
  latest?: Place;
}

export const fromMark = ({ generation, home, latest }: Mark): KnownLog => ({
  generation,
  home,
  entries: latest ? [latest] : [],
});

/** Returns whether a mark says more than another one. */
export const isLater = (one: Mark, other: Mark): boolean =>
  orderOf(one.generation) > orderOf(other.generation) ||
  (one.generation === other.generation && (one.latest?.seq ?? 0) > (other.latest?.seq ?? 0));

export function markOf({ generation, home, entries }: KnownLog): Mark {
  const [latest] = newestFirst(entries);
  return defined({ generation, home, latest });
}

/** Returns a new generation, newer than all of these. */
export const generationAfter = (older: readonly (string | undefined)[]): string =>
  `${Math.max(0, ...older.map((one) => orderOf(one ?? ''))) + 1}_${randomBytes(6).toString('hex')}`;

/** Returns whether this generation, as the look found it, is the one that is known with all its entries, or a newer one. */
export const isWhole = (known: KnownLog | undefined, generation: string, { lacks }: Pick<Look, 'lacks'>): boolean =>
  known === undefined || orderOf(generation) > orderOf(known.generation) || (generation === known.generation && !lacks);

/**
 * Returns what is known after a look that was whole.
 * @param asked what was known when the look began
 * @param now what is known since then: other looks may have ended, and entries may have been published
 */
export function learnt(
  generation: string,
  { home, seq, id }: Look,
  { asked, now }: { asked: KnownLog | undefined; now: KnownLog | undefined },
): KnownLog {
  const latest = id === undefined ? [] : [{ seq, id }];
  if (now !== undefined && now.generation !== generation)
    return orderOf(now.generation) > orderOf(generation) ? now : { generation, home, entries: latest };
  if (now?.home === home) return { generation, home, entries: newestFirst([...now.entries, ...latest]).slice(0, 1) };
  const looked = [...latest, ...(asked?.entries ?? [])];
  const unlooked = now?.entries.filter((one) => !looked.some((other) => isSame(one, other))) ?? [];
  return { generation, home: unlooked.length === 0 ? home : undefined, entries: [...latest, ...unlooked] };
}

/** Returns what is known after this process has published an entry: the next look must find it. */
export const withPublished = (known: KnownLog, { seq, id }: Place): KnownLog => ({
  ...known,
  home: undefined,
  entries: [...known.entries, { seq, id }],
});

const isSame = (one: Place, other: Place): boolean => one.seq === other.seq && one.id === other.id;

const newestFirst = (entries: readonly Place[]): Place[] => entries.toSorted((a, b) => b.seq - a.seq);
