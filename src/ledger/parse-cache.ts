/**
 * Credentials with their tasks and causes, for the reconciler, which reads the same ones every second. A record whose text is
 * the same as before is not parsed again. The values are shared between calls: nobody may change them.
 */
import { LRUCache } from 'lru-cache';
import type { z } from 'zod';
import { credentialSchema, type Credential } from '../domain/credential.js';
import { credentialCauses, taskCauses } from '../domain/hangs-on.js';
import { isId } from '../domain/id.js';
import type { Cause } from '../domain/selector.js';
import { taskSchema, type Task } from '../domain/task.js';
import type { Versioned } from '../store/record.js';
import type { Records } from '../store/store.js';
import type { Found } from './credentials.js';
import { recordKey } from './keys.js';
import type { Ledger } from './ledger.js';

export interface CachedCredential extends Found {
  /** The causes of the credential. */
  own: readonly Cause[];
  /** The causes of its task. */
  ofTask: readonly Cause[];
}

interface CachedRead {
  /** In the order asked. */
  found: CachedCredential[];
  /** The ids whose record, or whose task's record, is gone or cannot be read, and why. The caller must not take them for alive. */
  unreadable: [id: string, error: unknown][];
}

export async function readCached({ records }: Ledger, ids: readonly string[]): Promise<CachedRead> {
  const unreadable: CachedRead['unreadable'] = [];
  const readable = <T>(id: string, read: () => T): T[] => {
    try {
      return [read()];
    } catch (error) {
      unreadable.push([id, error]);
      return [];
    }
  };
  const known = ids.filter((id) => isId('crd', id));
  const texts = await textsOf(records, known);
  const credentials = known.flatMap((id) => readable(id, () => parseCredential(id, texts.get(id))));
  const taskTexts = await textsOf(records, [...new Set(credentials.map(({ task }) => task))]);
  const found = credentials.flatMap((credential) =>
    readable(credential.id, () => withCauses(credential, parseTask(credential.task, taskTexts.get(credential.task)))),
  );
  return { found, unreadable };
}

async function textsOf(records: Records, ids: readonly string[]): Promise<Map<string, string | undefined>> {
  const texts = await records.read(ids.map(recordKey));
  return new Map(ids.map((id, index) => [id, texts[index]]));
}

/** Of each kind; together some 3 KB for a credential. With more credentials than this, records are parsed every time. */
const CACHED_MOST = 20_000;

/** Nothing but the text decides the value, so one cache serves whatever ledgers there are in the process. */
const parseCredential = parsedOnce<Credential>(credentialSchema);
const parseTask = parsedOnce<Task>(taskSchema);

function parsedOnce<T>(schema: z.ZodType<T>): (id: string, text: string | undefined) => T {
  const cache = new LRUCache<string, Versioned<T>>({ max: CACHED_MOST });
  return (id, text) => {
    if (text === undefined) throw new Error(`The record of ${id} is gone, and must still exist.`);
    const cached = cache.get(id);
    if (cached?.text === text) return cached.value;
    const value = schema.parse(JSON.parse(text));
    cache.set(id, { text, value });
    return value;
  };
}

const complete = new WeakMap<Credential, CachedCredential>();
const causesOfTasks = new WeakMap<Task, readonly Cause[]>();

function withCauses(credential: Credential, task: Task): CachedCredential {
  const cached = complete.get(credential);
  if (cached?.task === task) return cached;
  const ofTask = causesOfTasks.get(task) ?? taskCauses(task);
  causesOfTasks.set(task, ofTask);
  const made = { credential, task, own: credentialCauses(credential, task), ofTask };
  complete.set(credential, made);
  return made;
}
