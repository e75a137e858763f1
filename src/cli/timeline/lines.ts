/** A timeline as lines for a terminal: one an entry, in columns, and nothing in them that could forge another. */
import { z } from 'zod';
import { masked } from '../../domain/text.js';

const entrySchema = z.object({
  at: z.iso.datetime(),
  type: z.string(),
  by: z.string().optional(),
  text: z.string(),
  reason: z.string().optional(),
  purpose: z.string().optional(),
});

export type TimelineEntry = z.infer<typeof entrySchema>;

export const timelineSchema = z.object({ entries: z.array(entrySchema), next: z.int().optional() });

const TIME_WIDTH = 10;
const TYPE_WIDTH = 22;
const BY_WIDTH = 24;

/** @param first Of the whole timeline: times are counted from it. The line above the first says when that was. */
export function timelineLines(entries: readonly TimelineEntry[], first: TimelineEntry): string[] {
  const start = Date.parse(first.at);
  return entries.flatMap((entry) => [
    ...(entry === first ? [`from ${first.at}`] : []),
    line(entry, Date.parse(entry.at) - start),
  ]);
}

function line({ type, by = '', text, reason, purpose }: TimelineEntry, ms: number): string {
  const more = [purpose, reason].flatMap((words) => (words === undefined ? [] : [`: ${words}`]));
  const columns = [sinceText(ms).padStart(TIME_WIDTH), type.padEnd(TYPE_WIDTH), by.padEnd(BY_WIDTH)];
  return masked(`${columns.join('  ')}  ${text}${more.join('')}`);
}

/** `+0.4s`, `+12.0s`, `+3m07s`, `+2h05m`, `+1d04h`. Clocks of brokers differ a little: it may be less than nothing. */
export function sinceText(ms: number): string {
  const sign = ms < 0 ? '-' : '+';
  const seconds = Math.abs(ms) / 1000;
  if (seconds < 60) return `${sign}${seconds.toFixed(1)}s`;
  const [large, small, units] =
    seconds < 3_600
      ? [seconds / 60, seconds % 60, 'ms']
      : seconds < 86_400
        ? [seconds / 3_600, (seconds % 3_600) / 60, 'hm']
        : [seconds / 86_400, (seconds % 86_400) / 3_600, 'dh'];
  return `${sign}${Math.floor(large)}${units.charAt(0)}${String(Math.floor(small)).padStart(2, '0')}${units.charAt(1)}`;
}
