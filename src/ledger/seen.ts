/**
 * Who was here lately. A revocation of somebody who never was is most likely misspelt, and would look like a success. What is
 * remembered is one short record for each workload, person, team and issuer; for each subject with the workloads that called with
 * it, and for each session with its person.
 */
import { LRUCache } from 'lru-cache';
import { partyCauses } from '../domain/hangs-on.js';
import type { Party, PartyRef } from '../domain/party.js';
import { cause, causeOf, causesOf, type Cause, type Selector } from '../domain/selector.js';
import { createDistinctLimit } from '../domain/distinct-limit.js';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../domain/time.js';
import type { Change } from '../store/store.js';
import { countUpTo } from './impact.js';
import { isIndexed, recordKey, seenKey } from './keys.js';
import type { Ledger } from './ledger.js';
import { retryOnConflict } from './retry-on-conflict.js';
import { countTasksUnder } from './tasks-under.js';
import { remembering, REMEMBERED_MS } from './workloads.js';

/**
 * Nothing that hangs on a session outlives the last token from it by more than a task. A session that is forgotten costs no safety:
 * who hears that it ended takes the person to be meant.
 */
const SESSION_REMEMBERED_MS = DAY_MS;
/** Whoever keeps calling is written once an hour by each broker. */
const WRITTEN_EVERY_MS = HOUR_MS;
/** Its tokens may name another team each time. */
const OTHER_TEAM_EVERY_MS = MINUTE_MS;
const CAUSES_MAX = 10_000;
/** New names of an issuer that are remembered in an hour though nothing was granted to them. */
export const NEW_NAMES_PER_ISSUER = 100;

/** Nobody waits for a write of these, and nothing fails with it: an open task shows a party, too. */
export interface PartyMemory {
  /** Somebody has proved an identity. An issuer may prove any number of names, so new ones are rationed. */
  called(party: Party): void;
  /** Somebody was granted a credential, and is remembered in any case. */
  granted(party: Party): void;
}

export function createPartyMemory(ledger: Pick<Ledger, 'records' | 'clock'>): PartyMemory {
  const { records, clock } = ledger;
  /** When a name was looked at last, whether it was written then, and with which team. */
  const looked = new LRUCache<string, { at: number; isWritten: boolean; owner: string | undefined }>({
    max: CAUSES_MAX,
  });
  const newNames = createDistinctLimit({ most: NEW_NAMES_PER_ISSUER, everyMs: HOUR_MS });

  async function write(names: readonly Name[], now: number, mayBeNew: (one: Name) => boolean): Promise<void> {
    const texts = await records.read(names.map((one) => seenKey(one.cause)));
    const kept = names
      .map((one, place) => ({ ...one, before: texts[place] }))
      .filter((one) => isUnrationed(one, one.before, now) || mayBeNew(one));
    for (const { key, workload } of kept) looked.set(key, { at: now, isWritten: true, owner: workload?.owner });
    await Promise.all(kept.map((one) => writeName(ledger, one, now)));
  }

  function remember(party: Party, isGranted: boolean): void {
    // Nothing may fail here, and a time that is wrong is worth nothing.
    if (!clock.isTrusted()) return;
    const now = clock.now();
    const due = namesIn(party).filter(({ key, workload }) => {
      const last = looked.get(key);
      if (!last || (isGranted && !last.isWritten)) return true;
      const everyMs = last.owner === workload?.owner ? WRITTEN_EVERY_MS : OTHER_TEAM_EVERY_MS;
      return Math.abs(now - last.at) >= everyMs;
    });
    if (due.length === 0) return;
    for (const { key, workload } of due) looked.set(key, { at: now, isWritten: false, owner: workload?.owner });
    // Every login is a new session: they would use up what an issuer may have of new names.
    const mayBeNew = ({ key, rememberedMs }: Name) =>
      isGranted || (rememberedMs === REMEMBERED_MS && newNames.admits(party.issuer, key, now));
    void write(due, now, mayBeNew).catch(() => due.forEach(({ key }) => looked.delete(key)));
  }

  return { called: (party) => remember(party, false), granted: (party) => remember(party, true) };
}

interface Name {
  cause: Cause;
  /** Where it is the id of a workload: whose it is, and who answers for it. */
  workload?: PartyRef;
  /** The workload that called with a subject, or the person whose session it is. */
  partyOf?: string;
  /** What it is known by here: a subject is another name with each workload. */
  key: string;
  rememberedMs: number;
}

function namesIn(party: Party): Name[] {
  const { id, subject, session } = party;
  const causeIn = (kind: 'subject' | 'session', value: string | undefined) =>
    value === undefined ? undefined : causeOf({ kind, value });
  const [run, login] = [causeIn('subject', subject), causeIn('session', session)];
  const itself = party.kind === 'workload' ? cause('workload', id) : undefined;
  return partyCauses(party).map((one) => ({
    cause: one,
    ...(one === itself && { workload: party }),
    ...(one === run || one === login ? { partyOf: id, key: `${one} ${id}` } : { key: one }),
    rememberedMs: one === login ? SESSION_REMEMBERED_MS : REMEMBERED_MS,
  }));
}

async function writeName(
  ledger: Pick<Ledger, 'records' | 'clock'>,
  name: Name & { before: string | undefined },
  now: number,
): Promise<void> {
  if (name.partyOf !== undefined) return writeParty(ledger, name, name.partyOf);
  const change: Change = name.workload
    ? remembering(name.workload, name.before, now)
    : { put: [[seenKey(name.cause), '', now + REMEMBERED_MS]] };
  await ledger.records.commit(change);
}

/** Two are enough to know that a subject, or a session, does not tell which party is meant. */
const PARTIES_MOST = 2;

/**
 * Returns whether a name is written without being rationed: it is there, or it is the second party by a subject or session that is
 * there. Without the second, the first would be taken for the only one.
 */
function isUnrationed({ partyOf }: Name, text: string | undefined, now: number): boolean {
  if (text === undefined || partyOf === undefined) return text !== undefined;
  const ids = partiesIn(text, now).map(([id]) => id);
  return ids.length < PARTIES_MOST || ids.includes(partyOf);
}

/** Writes the party that called, and behind it the other one that called last. Each is forgotten by itself. */
async function writeParty(
  { records, clock }: Pick<Ledger, 'records' | 'clock'>,
  { cause, rememberedMs }: Name,
  id: string,
): Promise<void> {
  const key = seenKey(cause);
  await retryOnConflict({ clock }, async () => {
    const now = clock.now();
    const [text] = await records.read([key]);
    const others = text === undefined ? [] : partiesIn(text, now).filter(([other]) => other !== id);
    const until = now + rememberedMs;
    const next = [[id, until] as const, ...others].slice(0, PARTIES_MOST);
    const lines = next.map(([one, at]) => `${at} ${one}`).join('\n');
    return (await records.commit({ expect: [[key, text]], put: [[key, lines, until]] })) || undefined;
  });
}

/** Returns the parties of a subject or session that are still remembered, the latest caller first. No id has a line break. */
const partiesIn = (text: string, now: number): [id: string, until: number][] =>
  text.split('\n').flatMap((line) => {
    const [, until, id] = /^(\d+) (.+)$/.exec(line) ?? [];
    return id !== undefined && Number(until) > now ? [[id, Number(until)]] : [];
  });

/**
 * Returns the id of the only workload that called with this subject within the last month, or of the person whose session it is.
 * Undefined: there is none, or several.
 */
export async function onlyPartyOf(
  { records, clock }: Pick<Ledger, 'records' | 'clock'>,
  name: Selector & { kind: 'subject' | 'session' },
): Promise<string | undefined> {
  const [text = ''] = await records.read([seenKey(causeOf(name))]);
  const [only, another] = partiesIn(text, clock.now());
  return another ? undefined : only?.[0];
}

/** Returns for each selector of a party whether it is remembered. */
export const areRemembered = async ({ records }: Ledger, parties: readonly Selector[]): Promise<boolean[]> =>
  (await records.read(parties.map((one) => seenKey(causeOf(one))))).map((text) => text !== undefined);

/** So many open tasks are looked at for one that a selector hits. */
const TASKS_LOOKED_AT = 1_000;

/**
 * Returns whether anything or anybody by this selector is known: by its record, by having called in the last month, or by an open
 * task. Undefined: there are more open tasks than are looked at, and none of those that were showed it.
 */
export async function isSeen(ledger: Ledger, selector: Selector): Promise<boolean | undefined> {
  const { kind, value } = selector;
  if (kind === 'all') return true;
  const isRecord = kind === 'credential' || kind === 'task';
  const texts = await ledger.records.read(isRecord ? [recordKey(value)] : namesOf(selector).map(seenKey));
  if (texts.some((text) => text !== undefined)) return true;
  if (isRecord) return false;
  // A wrong clock may take for forgotten what is known: then this throws, and nobody is said to be unknown.
  const at = ledger.clock.now();
  // Also by tasks that a revocation has ended, until their records say so: it may be ordered again.
  if (isIndexed(selector)) return (await countTasksUnder(ledger, selector)) > 0;
  const enough = { hit: 0, lookedAt: TASKS_LOOKED_AT };
  const { affected, isWhole } = await countUpTo(ledger, { selector, at, enough });
  if (affected.tasks + affected.credentials > 0) return true;
  return isWhole ? false : undefined;
}

/** A workload that serves nobody else is its own principal. */
const namesOf = ({ kind, value }: Selector): Cause[] =>
  causesOf(
    kind === 'principal'
      ? [
          { kind, value },
          { kind: 'workload', value },
        ]
      : [{ kind, value }],
  );
