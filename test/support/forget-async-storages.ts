/**
 * Disables the AsyncLocalStorages that earlier test files of this process left enabled: jest-circus makes one per file.
 * Before Node 24 each of them is copied at every promise, so the last files of a worker took several times as long.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

type Storage = AsyncLocalStorage<unknown>;

// Built-in modules are shared by all test files of a jest worker, so what is kept on this prototype outlives each file.
const prototype = AsyncLocalStorage.prototype as Storage;
const key = Symbol.for('mayfly.enabled-storages');

const enabled = (Reflect.get(prototype, key) as Set<Storage> | undefined) ?? recordThoseThatRun();
for (const storage of enabled) storage.disable();
enabled.clear();

function recordThoseThatRun(): Set<Storage> {
  const ran = new Set<Storage>();
  const run = Reflect.get(prototype, 'run') as (...args: unknown[]) => unknown;
  Object.assign(prototype, {
    [key]: ran,
    run(this: Storage, ...args: unknown[]) {
      ran.add(this);
      return run.apply(this, args);
    },
  });
  return ran;
}
