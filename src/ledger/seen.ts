/**
 * Who was here lately. A revocation of somebody who never was is most likely misspelt, and would look like a success. What is
 * remembered is one short record for each workload, person, team and issuer; for each subject with the workload that it is a run of.
 */
import { LRUCache } from 'lru-cache';
import { partyCauses } from '../domain/hangs-on.js';
import type { Party } from '../domain/party.js';
import { cause, type Cause, type Selector } from '../domain/selector.js';
import { DAY_MS, MINUTE_MS } from '../domain/time.js';
import { countUpTo } from './impact.js';
import { recordKey, seenKey } from './keys.js';
import type { Ledger } from './ledger.js';

/** Somebody who works once a month is known. */
const REMEMBERED_MS = 32 * DAY_MS;
/** Whoever keeps calling is written once an hour by each broker. */
const WRITTEN_EVERY_MS = 60 * MINUTE_MS;
const CAUSES_MAX = 10_000;

export interface PartyMemory {
  /** Nobody waits for the write, and nothing fails with it: an open task shows a party, too. */
  remember(party: Party): void;
}

export function createPartyMemory({ records, clock }: Pick<Ledger, 'records' | 'clock'>): PartyMemory {
  const written = new LRUCache<Cause, number>({ max: CAUSES_MAX });
  return {
    remember(party) {
      // Nothing may fail here, and a time that is wrong is worth nothing.
      if (!clock.isTrusted()) return;
      const now = clock.now();
      const subject = party.subject === undefined ? undefined : cause('subject', party.subject);
      for (const one of partyCauses(party)) {
        const at = written.get(one);
        if (at !== undefined && Math.abs(now - at) < WRITTEN_EVERY_MS) continue;
        written.set(one, now);
        const put = records.commit({ put: [[seenKey(one), one === subject ? party.id : '', now + REMEMBERED_MS]] });
        void put.catch(() => written.delete(one));
      }
    },
  };
}

/** Returns the id of the workload that called with this subject within the last month. */
export async function workloadOf({ records }: Pick<Ledger, 'records'>, subject: string): Promise<string | undefined> {
  const [id = ''] = await records.read([seenKey(cause('subject', subject))]);
  return id === '' ? undefined : id;
}

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
