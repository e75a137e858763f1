/** A store whose every operation is a step that reads and writes named things; steps conflict when their order matters. */
import type { Key, Log, Records, Store } from '../../../src/store/store.js';

/** The names of what a step reads and writes. `*` in `writes` conflicts with everything. */
export interface Footprint {
  reads: ReadonlySet<string>;
  writes: ReadonlySet<string>;
}

/** Returns whether the order of two steps matters. */
export const conflict = (a: Footprint, b: Footprint): boolean => touches(a, b) || touches(b, a);

function touches({ writes }: Footprint, { reads, writes: others }: Footprint): boolean {
  if (writes.has('*')) return true;
  for (const one of writes) if (reads.has(one) || others.has(one)) return true;
  return false;
}

export const everything: Footprint = { reads: new Set(), writes: new Set(['*']) };

/** Announces a step; resolves with the result of `action` when the search has performed it. */
export type Announce = <T>(label: string, footprint: Footprint, action: () => Promise<T>) => Promise<T>;

export function steppedStore(store: Store, announce: Announce): Store {
  const { records, log } = store;
  const reads = (...names: string[]): Footprint => ({ reads: new Set(names), writes: new Set() });
  const steppedRecords: Records = {
    read: (keys) => announce(`read ${short(keys)}`, reads(...keys), () => records.read(keys)),
    commit: (change) => {
      const written = [...(change.put ?? []), ...(change.index ?? []), ...(change.unindex ?? [])].map(([key]) => key);
      const expected = (change.expect ?? []).map(([key]) => key);
      const footprint = {
        reads: new Set<string>(expected),
        writes: new Set<string>([...written, ...(change.remove ?? [])]),
      };
      return announce(`commit ${short(written)}`, footprint, () => records.commit(change));
    },
    range: (index, by) => announce(`range ${index}`, reads(index), () => records.range(index, by)),
    count: (index, by) => announce(`count ${index}`, reads(index), () => records.count(index, by)),
  };
  const steppedLog: Log = {
    look: (causes, known) => announce('look', reads('log', ...causes), () => log.look(causes, known)),
    publish: (publication) =>
      announce(
        `publish ${publication.effect} ${publication.id}`,
        { reads: new Set(), writes: new Set(['log', publication.cause]) },
        () => log.publish(publication),
      ),
    entries: (after, limit) => announce('entries', reads('log'), () => log.entries(after, limit)),
    awaitEntry: (after) => log.awaitEntry(after),
    snapshot: (after) => announce('snapshot', reads('log', 'tombstones'), () => log.snapshot(after)),
    forget: (tombstones) => announce('forget', everything, () => log.forget(tombstones)),
    adopt: (found, isKnown) => announce('adopt', everything, () => log.adopt(found, isKnown)),
    replace: (seen, generation) => announce('replace', everything, () => log.replace(seen, generation)),
  };
  return { ...store, records: steppedRecords, log: steppedLog };
}

const short = (keys: readonly Key[]): string => keys.join(' ');
