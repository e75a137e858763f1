/**
 * So many within so much time, sliding. Time is counted in tenths of it, so what is remembered has a bound however high the
 * threshold; an event counts for nine tenths of the time at least.
 */
import { defined } from '../domain/defined.js';
import { z } from 'zod';
import { FORGET_MARGIN_MS } from '../domain/limits.js';
import { isRecent } from './recent.js';
import type { Rule } from './rule.js';

const SLOTS = 10;

const moment = z.int().nonnegative();
const memorySchema = z.strictObject({
  /** When a tenth began, and how many it saw. */
  slots: z.array(z.tuple([moment, z.int().positive()])),
  /** When it last was a finding: that one stands for the whole of its time. */
  raisedAt: moment.optional(),
});

type Slots = z.infer<typeof memorySchema>['slots'];

export const burst =
  ({ threshold, withinSeconds }: { threshold: number; withinSeconds: number }): Rule =>
  (kept, noted, now) => {
    const withinMs = withinSeconds * 1000;
    const before = kept === undefined ? { slots: [] } : memorySchema.parse(JSON.parse(kept));
    const slots = added(noted.restarted ? [] : before.slots, noted, withinMs / SLOTS).filter(([began]) =>
      isRecent(began, now, withinMs),
    );
    const total = slots.reduce((sum, [, count]) => sum + count, 0);
    const isFinding = total >= threshold && !isRecent(before.raisedAt ?? -Infinity, now, withinMs);
    const raisedAt = isFinding ? now : before.raisedAt;
    return {
      keep: JSON.stringify(defined({ slots, raisedAt })),
      until: now + withinMs + FORGET_MARGIN_MS,
      ...(isFinding && {
        finding: { why: `${total} within ${withinSeconds} s`, window: Math.floor(now / withinMs) },
      }),
    };
  };

/** At most one for each tenth of the time, and the one that is just beginning. */
function added(slots: Slots, { count, at }: { count: number; at: number }, slotMs: number): Slots {
  if (count === 0) return slots;
  const began = at - (at % slotMs);
  const same = slots.find(([other]) => other === began);
  return [...slots.filter((slot) => slot !== same), [began, (same?.[1] ?? 0) + count]];
}
