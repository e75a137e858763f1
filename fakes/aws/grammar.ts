/** Pieces that several parts of the policy grammar share. */
import { z } from 'zod';

/** `${` begins a policy variable, which is not understood here. */
export const plainText = z.string().refine((text) => !text.includes('${'), 'policy variables are not understood');

/** IAM takes a single value wherever it takes a list. An empty list is a mistake of whoever rendered the policy. */
export const oneOrMore = <S extends z.ZodType>(value: S) =>
  z.union([value.transform((one): readonly z.output<S>[] => [one]), z.array(value).min(1).readonly()]);

/** Whole seconds in UTC. Zod alone would let 31 February pass. */
export const instant = z
  .string()
  .regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  .refine((text) => !Number.isNaN(Date.parse(text)) && toInstant(Date.parse(text)) === text, 'no such instant');

/** AWS counts whole seconds: the fraction is cut off, not rounded. */
export const toInstant = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
