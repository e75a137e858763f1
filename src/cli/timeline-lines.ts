/** Formats a timeline for a terminal: one line for each entry, in columns, with no character that could forge another line. */
import { z } from 'zod';
import { masked } from '../domain/text.js';

const entrySchema = z.object({
  at: z.iso.datetime(),
  type: z.string(),
  by: z.string().optional(),
  text: z.string(),
  reason: z.string().optional(),
  purpose: z.string().optional(),
  policies: z.array(z.string()).optional(),
});

export type TimelineEntry = z.infer<typeof entrySchema>;

export const timelineSchema = z.object({ entries: z.array(entrySchema), next: z.int().optional() });

const TIME_WIDTH = 10;
const TYPE_WIDTH = 22;
const BY_WIDTH = 24;

/** @param first The first entry of the whole timeline. Times are counted from it, and a line above it says when it was. */
export function timelineLines(entries: readonly TimelineEntry[], first: TimelineEntry): string[] {
  const start = Date.parse(first.at);
  return entries.flatMap((entry) => [
    ...(entry === first ? [`from ${first.at}`] : []),
    line(entry, Date.parse(entry.at) - start),
  ]);
}

function line({ type, by = '', text, reason, purpose, policies }: TimelineEntry, ms: number): string {
  const more = [purpose, reason].flatMap((words) => (words === undefined ? [] : [`: ${words}`]));
  if (policies) more.push(` [policies: ${policies.join(', ') || 'none'}]`);
  const columns = [sinceText(ms).padStart(TIME_WIDTH), type.padEnd(TYPE_WIDTH), by.padEnd(BY_WIDTH)];
  return masked(`${columns.join('  ')}  ${text}${more.join('')}`);
}

/**
 * Returns a duration as `+0.4s`, `+12.0s`, `+3m07s`, `+2h05m` or `+1d04h`. It may be negative, because clocks of brokers
 * differ a little.
 */
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
