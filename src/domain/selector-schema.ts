/** A selector as records hold it. Apart from selector.ts, which needs no library: verifiers use it. */
import { z } from 'zod';
import { SELECTOR_KINDS } from './selector.js';

export const selectorSchema = z.strictObject({ kind: z.enum(SELECTOR_KINDS), value: z.string() });
