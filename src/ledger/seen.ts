/**
 * Who was here lately. A revocation of somebody who never was is most likely misspelt, and would look like a success. What is
 * remembered is one short record for each workload, person, team and issuer; for each subject with the workload that it is a run of.
 */
import { LRUCache } from 'lru-cache';
import { partyCauses } from '../domain/hangs-on.js';
import type { Party } from '../domain/party.js';
import { cause, causeOf, type Cause, type Selector } from '../domain/selector.js';
import { createDistinctLimit } from '../domain/distinct-limit.js';
import { DAY_MS, HOUR_MS } from '../domain/time.js';
import { countUpTo } from './impact.js';
import { recordKey, seenKey } from './keys.js';
import type { Ledger } from './ledger.js';

/** Somebody who works once a month is known. */
const REMEMBERED_MS = 32 * DAY_MS;
/** Whoever keeps calling is written once an hour by each broker. */
const WRITTEN_EVERY_MS = HOUR_MS;
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

export function createPartyMemory({ records, clock }: Pick<Ledger, 'records' | 'clock'>): PartyMemory {
  /** When a cause was looked at last, and whether it was written then. */
  const looked = new LRUCache<Cause, { at: number; isWritten: boolean }>({ max: CAUSES_MAX });
  const newNames = createDistinctLimit({ most: NEW_NAMES_PER_ISSUER, everyMs: HOUR_MS });

  async function write(
    { id, subject }: Party,
    { causes, now, mayBeNew }: { causes: readonly Cause[]; now: number; mayBeNew: (one: Cause) => boolean },
  ): Promise<void> {
    const run = subject === undefined ? undefined : cause('subject', subject);
    const before = await records.read(causes.map(seenKey));
    const kept = causes.filter((one, place) => before[place] !== undefined || mayBeNew(one));
    for (const one of kept) looked.set(one, { at: now, isWritten: true });
    await Promise.all(
      kept.map((one) => records.commit({ put: [[seenKey(one), one === run ? id : '', now + REMEMBERED_MS]] })),
    );
  }

  function remember(party: Party, isGranted: boolean): void {
    // Nothing may fail here, and a time that is wrong is worth nothing.
    if (!clock.isTrusted()) return;
    const now = clock.now();
    const due = partyCauses(party).filter((one) => {
      const last = looked.get(one);
      return !last || Math.abs(now - last.at) >= WRITTEN_EVERY_MS || (isGranted && !last.isWritten);
    });
    if (due.length === 0) return;
    for (const one of due) looked.set(one, { at: now, isWritten: false });
    const mayBeNew = (one: Cause) => isGranted || newNames.admits(party.issuer, one, now);
    void write(party, { causes: due, now, mayBeNew }).catch(() => due.forEach((one) => looked.delete(one)));
  }

  return { called: (party) => remember(party, false), granted: (party) => remember(party, true) };
}

/** Returns the id of the workload that called with this subject within the last month. */
export async function workloadOf({ records }: Pick<Ledger, 'records'>, subject: string): Promise<string | undefined> {
  const [id = ''] = await records.read([seenKey(cause('subject', subject))]);
  return id === '' ? undefined : id;
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
  const enough = { hit: 0, lookedAt: TASKS_LOOKED_AT };
  const { affected, isWhole } = await countUpTo(ledger, { selector, at: ledger.clock.now(), enough });
  if (affected.tasks + affected.credentials > 0) return true;
  return isWhole ? false : undefined;
}

/** A workload that serves nobody else is its own principal. */
const namesOf = ({ kind, value }: Selector): Cause[] =>
  kind === 'principal' ? [cause(kind, value), cause('workload', value)] : [cause(kind, value)];
