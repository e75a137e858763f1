/**
 * The highest time that a broker and its store have agreed on, kept in the store. No clock behind it is believed, so what had
 * expired by it never lives again: neither after a restart, nor on another broker.
 */
import { z } from 'zod';
import { moment } from '../domain/schemas.js';
import { record, type Versioned } from '../store/record.js';
import type { Key, Store } from '../store/store.js';

const schema = z.strictObject({ time: moment });

const keyOf = (name: 'agreed'): Key => `time/${name}`;
const times = record(schema, keyOf);

export type AgreedTime = Versioned<z.infer<typeof schema>> | undefined;

export const readAgreedTime = (store: Pick<Store, 'records'>): Promise<AgreedTime> => times.read(store, 'agreed');

/**
 * Raises the time agreed on, and never lowers it. If another broker wrote first, that one has raised it, and this broker raises
 * it at its next look.
 * @param to No later than the store's own time. One broker that is far ahead cannot raise it beyond that.
 */
export async function raiseAgreedTime(store: Pick<Store, 'records'>, stored: AgreedTime, to: number): Promise<void> {
  if (stored === undefined || stored.value.time < to) await times.write(store, 'agreed', stored, { time: to });
}

/**
 * Removes the time agreed on, and returns false if a broker has raised it since it was read. What had expired by it may live
 * again: it must be dead by another rule before this is called.
 */
export const removeAgreedTime = ({ records }: Pick<Store, 'records'>, { text }: { text: string }): Promise<boolean> =>
  records.commit({ expect: [[keyOf('agreed'), text]], remove: [keyOf('agreed')] });
