/** The parts that the schemas of several records share. They stand apart from the rules of life, which need no library. */
import { z } from 'zod';
import type { Access, TargetAccess } from './access.js';
import { NAME_CHARACTERS_MAX, nameProblem } from './name.js';
import { SELECTOR_KINDS } from './selector.js';

/** Milliseconds since 1970-01-01T00:00:00Z. */
export const moment = z.int().nonnegative();

/** A count, a sequence number, a revision. */
export const natural = z.int().nonnegative();

/** A name that comes from outside; the issue says what is wrong with it. */
export const nameSchema = (most = NAME_CHARACTERS_MAX) =>
  z
    .string()
    .superRefine((text, context) => {
      const problem = nameProblem(text, most);
      if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
    })
    .meta({ minLength: 1, maxLength: most });

export const selectorSchema = z.strictObject({ kind: z.enum(SELECTOR_KINDS), value: z.string() });

export const accessSchema = z.strictObject({
  path: z.string(),
  actions: z.array(z.string()),
}) satisfies z.ZodType<Access>;

export const targetAccessSchema = z.strictObject({
  target: z.string(),
  ...accessSchema.shape,
}) satisfies z.ZodType<TargetAccess>;
