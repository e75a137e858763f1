/** The parts that the schemas of several records share. They stand apart from the rules of life, which need no library. */
import { z } from 'zod';
import { SELECTOR_KINDS } from './selector.js';

/** Milliseconds since 1970-01-01T00:00:00Z. */
export const moment = z.int().nonnegative();

/** A count, a sequence number, a revision. */
export const natural = z.int().nonnegative();

export const selectorSchema = z.strictObject({ kind: z.enum(SELECTOR_KINDS), value: z.string() });
