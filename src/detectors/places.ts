/** A rule: more different places within the time than are allowed. One place more than allowed is all that is stored. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { FORGET_MARGIN_MS } from '../domain/limits.js';
import { moment } from '../domain/schemas.js';
import { isRecent, type Rule } from './rule.js';

const memorySchema = z.strictObject({
  /** The short hash of each place, and when it was reported last. */
  places: z.array(z.tuple([z.string(), moment])),
  raisedAt: moment.optional(),
});

export const places =
  ({ threshold, withinSeconds }: { threshold: number; withinSeconds: number }): Rule =>
  (stored, tally, now) => {
    const withinMs = withinSeconds * 1000;
    const before = stored === undefined ? { places: [] } : memorySchema.parse(JSON.parse(stored));
    const seen = new Map(before.places.filter(([, at]) => isRecent(at, now, withinMs)));
    for (const place of tally.places) {
      seen.delete(place);
      seen.set(place, tally.at);
    }
    const latest = [...seen].slice(-(threshold + 1));
    const isFinding = latest.length > threshold && !isRecent(before.raisedAt ?? -Infinity, now, withinMs);
    const raisedAt = isFinding ? now : before.raisedAt;
    return {
      keep: JSON.stringify(defined({ places: latest, raisedAt })),
      until: now + withinMs + FORGET_MARGIN_MS,
      ...(isFinding && {
        finding: {
          why: `from more than ${threshold} places within ${withinSeconds} s`,
          window: Math.floor(now / withinMs),
          keepUntold: JSON.stringify(defined({ places: latest, raisedAt: before.raisedAt })),
        },
      }),
    };
  };
