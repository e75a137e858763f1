/** Counts events that are not entered into the audit log, by type, verb and error. */
import { defined } from '../domain/defined.js';
import type { AuditEvent } from './event.js';

type Counted = NonNullable<AuditEvent['counted']>;

export interface Tally {
  add(event: Pick<AuditEvent, 'type' | 'verb' | 'error' | 'at'>): void;
  /** Adds what a line says that the audit log did not take. */
  addAll(counted: Counted): void;
  /** Undefined: nothing was counted. */
  counted(): Pick<Counted, 'from' | 'until' | 'events'> | undefined;
}

/** Different sorts of events that one line names. The others are counted by their type alone, so that a line has a bound. */
const SORTS_MOST = 16;

export function createTally(): Tally {
  const sorts = new Map<string, Counted['events'][number]>();
  let from = Infinity;
  let until = 0;

  function count({ type, verb, error, count }: Counted['events'][number]): void {
    const whole = `${type} ${verb ?? ''} ${error ?? ''}`;
    const isNamed = sorts.has(whole) || sorts.size < SORTS_MOST;
    const sort = isNamed ? whole : type;
    const known = sorts.get(sort) ?? defined({ type, ...(isNamed && { verb, error }), count: 0 });
    sorts.set(sort, { ...known, count: known.count + count });
  }

  function span(since: number, to: number): void {
    from = Math.min(from, since);
    until = Math.max(until, to);
  }

  return {
    add({ type, verb, error, at }) {
      span(at, at);
      count(defined({ type, verb, error, count: 1 }));
    },
    addAll(counted) {
      span(counted.from, counted.until);
      for (const event of counted.events) count(event);
    },
    counted: () => (sorts.size === 0 ? undefined : { from, until, events: [...sorts.values()] }),
  };
}
