/**
 * Credentials with their tasks and all that they hang on, for who looks at the same ones second by second: what reads exactly
 * as before means what it meant before, and is not parsed again. What is answered is shared: nobody may change it.
 */
import { credentialCauses, credentialSchema, type Credential } from '../domain/credential.js';
import { isId } from '../domain/id.js';
import type { Cause } from '../domain/selector.js';
import { taskCauses, taskSchema, type Task } from '../domain/task.js';
import type { Records } from '../store/store.js';
import type { Found } from './credentials.js';
import type { Ledger } from './ledger.js';
import { recordKey } from './names.js';

export interface Recalled extends Found {
  own: readonly Cause[];
  ofTask: readonly Cause[];
}

/** Of each kind; together some 3 KB for a credential. With more of them all are parsed again, as if there were no memory. */
const KEPT = 20_000;

/** In the order asked, without those that are unknown, they or their task. */
export async function recall({ records }: Pick<Ledger, 'records'>, ids: readonly string[]): Promise<Recalled[]> {
  const memory = memoryOf(records);
  const texts = await textsOf(
    records,
    ids.filter((id) => isId('crd', id)),
  );
  const credentials = texts.map(([id, text]) =>
    memory.credential(id, [text], () => credentialSchema.parse(JSON.parse(text))),
  );
  const taskTexts = await textsOf(records, [...new Set(credentials.map(({ task }) => task))]);
  const tasks = new Map(
    taskTexts.map(([id, text]) => [id, memory.task(id, [text], () => taskSchema.parse(JSON.parse(text)))]),
  );
  return credentials.flatMap((credential) => {
    const task = tasks.get(credential.task);
    if (!task) return [];
    const own = memory.own(credential.id, [credential, task], () => credentialCauses(credential, task));
    const ofTask = memory.ofTask(task.id, [task], () => taskCauses(task));
    return [{ credential, task, own, ofTask }];
  });
}

async function textsOf(records: Records, ids: readonly string[]): Promise<[id: string, text: string][]> {
  const texts = await records.read(ids.map(recordKey));
  return ids.flatMap((id, index): [string, string][] => {
    const text = texts[index];
    return text === undefined ? [] : [[id, text]];
  });
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
