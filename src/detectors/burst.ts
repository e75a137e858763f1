/**
 * A rule: so many events within a sliding window. Events are counted in slots of a tenth of the window, so that the stored
 * record is bounded however high the threshold is. An event counts for at least nine tenths of the window.
 */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { FORGET_MARGIN_MS } from '../domain/limits.js';
import { moment } from '../domain/schemas.js';
import { isRecent, type Rule } from './rule.js';

const SLOTS = 10;

const memorySchema = z.strictObject({
  /** When each slot began, and how many events it counted. */
  slots: z.array(z.tuple([moment, z.int().positive()])),
  /** When the last finding was raised. No further one is raised within the window. */
  raisedAt: moment.optional(),
});

type Slots = z.infer<typeof memorySchema>['slots'];

export const burst =
  ({ threshold, withinSeconds }: { threshold: number; withinSeconds: number }): Rule =>
  (stored, tally, now) => {
    const withinMs = withinSeconds * 1000;
    const before = stored === undefined ? { slots: [] } : memorySchema.parse(JSON.parse(stored));
    const slots = added(tally.restarted ? [] : before.slots, tally, withinMs / SLOTS).filter(([began]) =>
      isRecent(began, now, withinMs),
    );
    const total = slots.reduce((sum, [, count]) => sum + count, 0);
    const isFinding = total >= threshold && !isRecent(before.raisedAt ?? -Infinity, now, withinMs);
    const raisedAt = isFinding ? now : before.raisedAt;
    return {
      keep: JSON.stringify(defined({ slots, raisedAt })),
      until: now + withinMs + FORGET_MARGIN_MS,
      ...(isFinding && {
        finding: {
          why: `${total} within ${withinSeconds} s`,
          window: Math.floor(now / withinMs),
          keepUntold: JSON.stringify(defined({ slots, raisedAt: before.raisedAt })),
        },
      }),
    };
  };

/** Returns at most eleven slots: ten that lie in the window, and the one that just begins. */
function added(slots: Slots, { count, at }: { count: number; at: number }, slotMs: number): Slots {
  if (count === 0) return slots;
  const began = at - (at % slotMs);
  const same = slots.find(([other]) => other === began);
  return [...slots.filter((slot) => slot !== same), [began, (same?.[1] ?? 0) + count]];
}
