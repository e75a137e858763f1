/**
 * Credentials with their tasks and all that they hang on, for who looks at the same ones second by second: what reads exactly
 * as before means what it meant before, and is not parsed again. What is answered is shared: nobody may change it.
 */
import { credentialSchema, type Credential } from '../domain/credential.js';
import { credentialCauses, taskCauses } from '../domain/hangs-on.js';
import { isId } from '../domain/id.js';
import type { Cause } from '../domain/selector.js';
import { taskSchema, type Task } from '../domain/task.js';
import type { Records } from '../store/store.js';
import type { Found } from './credentials.js';
import type { Ledger } from './ledger.js';
import { recordKey } from './keys.js';

export interface Recalled extends Found {
  own: readonly Cause[];
  ofTask: readonly Cause[];
}

/** Of each kind; together some 3 KB for a credential. With more of them all are parsed again, as if there were no memory. */
const KEPT = 20_000;

interface Recollection {
  /** In the order asked. */
  found: Recalled[];
  /** Those whose record, or whose task's, is gone or cannot be read, and why: somebody must look at them. */
  unreadable: [id: string, error: unknown][];
}

export async function recall({ records }: Ledger, ids: readonly string[]): Promise<Recollection> {
  const unreadable: Recollection['unreadable'] = [];
  const readable = <T>(of: () => string[], read: () => T): T[] => {
    try {
      return [read()];
    } catch (error) {
      unreadable.push(...of().map((id): [string, unknown] => [id, error]));
      return [];
    }
  };
  const memory = memoryOf(records);
  const texts = await textsOf(
    records,
    ids.filter((id) => isId('crd', id)),
  );
  const credentials = texts.flatMap(([id, text]) =>
    readable(
      () => [id],
      () => memory.credential(id, [text], () => credentialSchema.parse(JSON.parse(present(text)))),
    ),
  );
  const taskTexts = await textsOf(records, [...new Set(credentials.map(({ task }) => task))]);
  const under = (task: string) => () => credentials.flatMap((one) => (one.task === task ? [one.id] : []));
  const tasks = new Map(
    taskTexts.flatMap(([id, text]) =>
      readable(under(id), () => memory.task(id, [text], () => taskSchema.parse(JSON.parse(present(text))))).map(
        (task): [string, Task] => [id, task],
      ),
    ),
  );
  const found = credentials.flatMap((credential) => {
    const task = tasks.get(credential.task);
    if (!task) return [];
    const own = memory.own(credential.id, [credential, task], () => credentialCauses(credential, task));
    const ofTask = memory.ofTask(task.id, [task], () => taskCauses(task));
    return [{ credential, task, own, ofTask }];
  });
  return { found, unreadable };
}

async function textsOf(records: Records, ids: readonly string[]): Promise<[id: string, text: string | undefined][]> {
  const texts = await records.read(ids.map(recordKey));
  return ids.map((id, index): [string, string | undefined] => [id, texts[index]]);
}

function present(text: string | undefined): string {
  if (text === undefined) throw new Error('a record is gone that must still be there');
  return text;
}

const memories = new WeakMap<Records, ReturnType<typeof newMemory>>();

function memoryOf(records: Records): ReturnType<typeof newMemory> {
  const memory = memories.get(records) ?? newMemory();
  memories.set(records, memory);
  return memory;
}

const newMemory = () => ({
  credential: remembering<Credential>(),
  task: remembering<Task>(),
  own: remembering<readonly Cause[]>(),
  ofTask: remembering<readonly Cause[]>(),
});

/** Makes a value again only when one of what it is made of is another. */
function remembering<T>(): (key: string, of: readonly unknown[], make: () => T) => T {
  const kept = new Map<string, { of: readonly unknown[]; value: T }>();
  return (key, of, make) => {
    const known = kept.get(key);
    if (known && of.every((one, index) => one === known.of[index])) return known.value;
    const value = make();
    if (kept.size >= KEPT && !known) kept.clear();
    kept.set(key, { of, value });
    return value;
  };
}
