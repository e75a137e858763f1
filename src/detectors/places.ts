/** More different places within the time than are allowed. One more than that is all that need be remembered. */
import { defined } from '../domain/defined.js';
import { z } from 'zod';
import { FORGET_MARGIN_MS } from '../domain/limits.js';
import { isRecent } from './recent.js';
import type { Rule } from './rule.js';

const moment = z.int().nonnegative();
const memorySchema = z.strictObject({
  /** A short hash, and when it was named last. */
  places: z.array(z.tuple([z.string(), moment])),
  raisedAt: moment.optional(),
});

export const places =
  ({ threshold, withinSeconds }: { threshold: number; withinSeconds: number }): Rule =>
  (kept, noted, now) => {
    const withinMs = withinSeconds * 1000;
    const before = kept === undefined ? { places: [] } : memorySchema.parse(JSON.parse(kept));
    const named = new Map(before.places.filter(([, at]) => isRecent(at, now, withinMs)));
    for (const place of noted.places) {
      named.delete(place);
      named.set(place, noted.at);
    }
    const latest = [...named].slice(-(threshold + 1));
    const isFinding = latest.length > threshold && !isRecent(before.raisedAt ?? -Infinity, now, withinMs);
    const raisedAt = isFinding ? now : before.raisedAt;
    return {
      keep: JSON.stringify(defined({ places: latest, raisedAt })),
      until: now + withinMs + FORGET_MARGIN_MS,
      ...(isFinding && {
        finding: {
          why: `from more than ${threshold} places within ${withinSeconds} s`,
          window: Math.floor(now / withinMs),
        },
      }),
    };
  };
