/**
 * One kind of record over the store port: where it lies, what its text means, and how it is written, which is by
 * compare-and-set alone.
 *
 * Where a schema has a `revision`, it is set here: raised by every write, so that equal bytes mean no write between. Without
 * it, a record that was changed and changed back would pass the comparison of a broker that read it before both changes.
 */
import type { z } from 'zod';
import { defined } from '../domain/defined.js';
import type { Change, Key, Store } from './store.js';

/** A record as read: its value, and the exact text to compare with when it is written again. */
export interface Versioned<T> {
  value: T;
  text: string;
}

/** What a write replaces. The value is absent where the text cannot be read and the new record takes its place. */
type Replaced<T> = Pick<Versioned<T>, 'text'> & Partial<Versioned<T>>;

interface RecordOptions<T> {
  /** Returns when the record expires, in milliseconds; undefined: never. */
  expiresAt?: (value: T) => number | undefined;
  /** Returns the index entries that change with the record. `before` is undefined for a new record. */
  indexes?: (value: T, before: T | undefined) => Pick<Change, 'index' | 'unindex'>;
  /** Returns the text that is stored, where it is not simply the JSON of the value. */
  format?: (value: T) => string;
  /** Fields that had another name in older versions: old name → name now. The next write stores the name of now. */
  renamed?: Readonly<Record<string, keyof T & string>>;
}

/**
 * A kind of record, as `record` makes it. `Input` is what a writer passes: without the revision, and without what has a
 * default.
 */
export interface RecordKind<Id, T, Input = T> {
  /** Throws on a text that the schema does not accept. */
  parse: (text: string) => T;
  read: (store: Pick<Store, 'records'>, id: Id) => Promise<Versioned<T> | undefined>;
  /** Returns the records in the order asked; undefined where there is none. */
  readEach: (store: Pick<Store, 'records'>, ids: readonly Id[]) => Promise<(Versioned<T> | undefined)[]>;
  /** Returns the change that writes `next`, for a commit that does more, and the record as it stands after that. */
  step: (id: Id, stored: Replaced<T> | undefined, next: Input) => { change: Step; after: Versioned<T> };
  /**
   * Returns the record as it stands afterwards, or undefined when somebody else wrote first. `stored` is undefined for a
   * record that must not exist yet. `also` is committed with it, or not at all.
   */
  write: (
    store: Pick<Store, 'records'>,
    id: Id,
    stored: Replaced<T> | undefined,
    next: Input,
    also?: Change,
  ) => Promise<Versioned<T> | undefined>;
}

type Step = Required<Pick<Change, 'expect' | 'put' | 'index' | 'unindex'>>;

export function record<Id, S extends z.ZodObject>(
  schema: S,
  keyOf: (id: Id) => Key,
  options: RecordOptions<z.output<S>> = {},
): RecordKind<Id, z.output<S>, Omit<z.input<S>, 'revision'>> {
  type Kind = RecordKind<Id, z.output<S>, Omit<z.input<S>, 'revision'>>;
  const { expiresAt, indexes, format = JSON.stringify } = options;
  const renamed = new Map<string, string>(Object.entries(options.renamed ?? {}));
  const parse: Kind['parse'] = (text) => schema.parse(underNewNames(JSON.parse(text), renamed));

  const readEach: Kind['readEach'] = async ({ records }, ids) =>
    (await records.read(ids.map(keyOf))).map((text) => (text === undefined ? undefined : { text, value: parse(text) }));

  const step: Kind['step'] = (id, stored, next) => {
    // The value is validated before the write too: a record that nobody could read again must not be acknowledged.
    const value = schema.parse('revision' in schema.shape ? { ...next, revision: nextRevision(stored) } : next);
    const [key, text, expiry] = [keyOf(id), format(value), expiresAt?.(value)];
    const change: Step = {
      expect: [[key, stored?.text]],
      put: [expiry === undefined ? [key, text] : [key, text, expiry]],
      index: [],
      unindex: [],
      ...indexes?.(value, stored?.value),
    };
    return { change, after: { value, text } };
  };

  return {
    parse,
    readEach,
    step,
    read: async (store, id) => (await readEach(store, [id]))[0],
    write: async ({ records }, id, stored, next, also) => {
      const { change, after } = step(id, stored, next);
      if (!also && after.text === stored?.text) return after; // Equal bytes: there is nothing to write.
      return (await records.commit(mergeChanges(change, also ?? {}))) ? after : undefined;
    },
  };
}

/** Returns one change made of several, which must all be of one shard. */
export const mergeChanges = (...changes: Change[]): Change =>
  defined({
    expect: someOf(changes.flatMap(({ expect = [] }) => expect)),
    put: someOf(changes.flatMap(({ put = [] }) => put)),
    remove: someOf(changes.flatMap(({ remove = [] }) => remove)),
    index: someOf(changes.flatMap(({ index = [] }) => index)),
    unindex: someOf(changes.flatMap(({ unindex = [] }) => unindex)),
    durable: changes.some(({ durable }) => durable) || undefined,
  });

/** Returns by how many bytes the records grow with the change, at least 0. The texts that it replaces are those that it expects. */
export function growthOf({ expect = [], put = [] }: Change): number {
  const sum = (texts: [Key, string | undefined, ...unknown[]][]) =>
    texts.reduce((bytes, [, text = '']) => bytes + Buffer.byteLength(text), 0);
  return Math.max(0, sum(put) - sum(expect));
}

const someOf = <T>(parts: T[]): T[] | undefined => (parts.length > 0 ? parts : undefined);

function underNewNames(stored: unknown, renamed: ReadonlyMap<string, string>): unknown {
  if (renamed.size === 0 || typeof stored !== 'object' || stored === null) return stored;
  return Object.fromEntries(Object.entries(stored).map(([name, value]) => [renamed.get(name) ?? name, value]));
}

function nextRevision(stored: { value?: object } | undefined): number {
  if (!stored?.value) return 0;
  return 'revision' in stored.value ? Number(stored.value.revision) + 1 : 0;
}
