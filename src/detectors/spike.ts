/**
 * Far more in a minute than is usual for this one. The usual is a mean over the minutes in which there was anything, the last
 * ones weighing most: who works by day is not a stranger every morning. One that never was here has no usual: then only
 * `atLeast` speaks for it.
 */
import { defined } from '../domain/defined.js';
import { z } from 'zod';
import { isRecent } from './recent.js';
import type { Noted, Rule } from './rule.js';

interface Bounds {
  factor: number;
  atLeast: number;
}

const MINUTE_MS = 60_000;
/** What the latest minute weighs: after ten of a new kind most of the usual is new. */
const WEIGHT = 0.1;
const USUAL_KEPT_MS = 7 * 86_400_000;

const count = z.int().nonnegative();
const memorySchema = z.strictObject({
  /** A minute; 0 before anything was learnt. */
  usual: z.number().nonnegative(),
  /** The two latest minutes. The one before stays open, for brokers tell of the end of a minute when it is over. */
  minutes: z.array(z.tuple([count, count])),
  /** The latest minute that was a finding. */
  raised: count.optional(),
});

type Memory = z.infer<typeof memorySchema>;

export const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS);

export const spike =
  (bounds: Bounds): Rule =>
  (kept, noted, now) => {
    const before: Memory = kept === undefined ? { usual: 0, minutes: [] } : memorySchema.parse(JSON.parse(kept));
    const minute = minuteOf(noted.at);
    const known = before.minutes.filter(([one]) => isRecent(one * MINUTE_MS, now, USUAL_KEPT_MS));
    const { usual, minutes } = learnt(added(known, minute, noted.count), before.usual, bounds);
    const got = minutes.find(([one]) => one === minute)?.[1] ?? 0;
    const raisedBefore = before.raised !== undefined && before.raised >= minute;
    const isRaised = raisedBefore && isRecent((before.raised ?? 0) * MINUTE_MS, now, USUAL_KEPT_MS);
    const isFinding = got >= bounds.atLeast && got > bounds.factor * usual && !isRaised;
    const raised = isFinding ? minute : before.raised;
    return {
      keep: JSON.stringify(defined({ usual, minutes, raised })),
      until: now + USUAL_KEPT_MS,
      ...(isFinding && {
        finding: { why: `${got} in a minute, where ${usual.toFixed(1)} are usual`, window: minute },
      }),
    };
  };

/** A few need not be told at once: they are told when their minute is over. So most workloads cost one write a minute. */
export const mattersNow = ({ at, count: got }: Noted, now: number, { atLeast }: Bounds): boolean =>
  got >= atLeast / 10 || minuteOf(at) < minuteOf(now);

const added = (minutes: Memory['minutes'], minute: number, more: number): Memory['minutes'] => [
  ...minutes.filter(([one]) => one !== minute),
  [minute, (minutes.find(([one]) => one === minute)?.[1] ?? 0) + more],
];

function learnt(minutes: Memory['minutes'], usual: number, bounds: Bounds): Pick<Memory, 'usual' | 'minutes'> {
  const latest = Math.max(...minutes.map(([minute]) => minute));
  let mean = usual;
  for (const [minute, got] of minutes.toSorted(([a], [b]) => a - b)) {
    if (minute < latest - 1) mean = learn(mean, got, bounds);
  }
  return { usual: mean, minutes: minutes.filter(([minute]) => minute >= latest - 1) };
}

/** A spike teaches no more than what would have been none: or the first one would excuse the next. */
function learn(usual: number, got: number, { factor, atLeast }: Bounds): number {
  const believed = Math.min(got, Math.max(factor * usual, atLeast));
  return usual === 0 ? believed : usual + WEIGHT * (believed - usual);
}
