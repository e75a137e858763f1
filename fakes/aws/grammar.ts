/** Parts of the policy grammar that are used in several places. */
import { z } from 'zod';

/** Text without a policy variable (`${…}`), which is not supported here. */
export const plainText = z.string().refine((text) => !text.includes('${'), 'policy variables are not understood');

/** IAM accepts a single value wherever it accepts a list. An empty list is a mistake of the code that made the policy. */
export const oneOrMore = <S extends z.ZodType>(value: S) =>
  z.union([value.transform((one): readonly z.output<S>[] => [one]), z.array(value).min(1).readonly()]);

/** A time in whole seconds, UTC. Zod alone would accept 31 February. */
export const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .refine((text) => !Number.isNaN(Date.parse(text)) && toInstant(Date.parse(text)) === text, 'no such instant');

/** The time in whole seconds, rounded down, as AWS counts. */
export const toInstant = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
