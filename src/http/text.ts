/** Texts that people write and read: bounded, one line, nothing invisible that could forge a log or a terminal. */
import { z } from 'zod';

const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}\ufffd]+$/u;

export const isPrintable = (text: string, most: number): boolean => text.length <= most && PRINTABLE.test(text);

export const printable = (most: number) =>
  z.string().refine((text) => isPrintable(text, most), `must be 1 to ${most} printable characters`);

/** Page parameters arrive as text. */
export const wholeNumber = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(least).max(most));

/** RFC 3339; becomes milliseconds. */
export const timestamp = z.iso
  .datetime({ offset: true, error: 'must be a time as in RFC 3339, e.g. 2027-01-31T09:30:00Z' })
  .transform((text) => Date.parse(text));
