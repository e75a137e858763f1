/**
 * A rule: far more events in a minute than this subject's baseline. The baseline is a weighted mean over the minutes that
 * had any event, the latest weighing most, so that a workload that rests at night is no finding every morning. A subject
 * without a baseline is a finding from `atLeast` events on.
 */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { natural } from '../domain/schemas.js';
import { DAY_MS, MINUTE_MS } from '../domain/time.js';
import { isRecent, type Rule, type Tally } from './rule.js';

interface Bounds {
  factor: number;
  atLeast: number;
}

/** The weight of the latest minute: after ten minutes at a new rate the baseline consists mostly of them. */
const WEIGHT = 0.1;
const USUAL_KEPT_MS = 7 * DAY_MS;

const memorySchema = z.strictObject({
  /** The baseline, in events a minute; 0 before anything was learnt. */
  usual: z.number().nonnegative(),
  /**
   * The two latest minutes with their counts. The last but one stays open, since brokers report a minute after it has
   * ended.
   */
  minutes: z.array(z.tuple([natural, natural])),
  /** The latest minute that was a finding. */
  raised: natural.optional(),
});

type Memory = z.infer<typeof memorySchema>;

export const minuteOf = (at: number): number => Math.floor(at / MINUTE_MS);

export const spike =
  (bounds: Bounds): Rule =>
  (stored, tally, now) => {
    const before: Memory = stored === undefined ? { usual: 0, minutes: [] } : memorySchema.parse(JSON.parse(stored));
    const minute = minuteOf(tally.at);
    const known = before.minutes.filter(([one]) => isRecent(one * MINUTE_MS, now, USUAL_KEPT_MS));
    const { usual, minutes } = learnt(added(known, minute, tally.count), before.usual, bounds);
    const got = minutes.find(([one]) => one === minute)?.[1] ?? 0;
    const raisedBefore = before.raised !== undefined && before.raised >= minute;
    const isRaised = raisedBefore && isRecent((before.raised ?? 0) * MINUTE_MS, now, USUAL_KEPT_MS);
    const isFinding = got >= bounds.atLeast && got > bounds.factor * usual && !isRaised;
    const raised = isFinding ? minute : before.raised;
    return {
      keep: JSON.stringify(defined({ usual, minutes, raised })),
      until: now + USUAL_KEPT_MS,
      ...(isFinding && {
        finding: {
          why: `${got} in a minute, where ${usual.toFixed(1)} are usual`,
          window: minute,
          keepUntold: JSON.stringify(defined({ usual, minutes, raised: before.raised })),
        },
      }),
    };
  };

/**
 * Returns whether a tally is to be written now. A small one waits for the end of its minute, so that most workloads cost
 * one write a minute.
 */
export const isDue = ({ at, count: got }: Tally, now: number, { atLeast }: Bounds): boolean =>
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

/**
 * Returns the baseline after a minute. A spike raises the baseline by no more than the highest count that is no finding.
 * Otherwise the first spike would hide the next.
 */
function learn(usual: number, got: number, { factor, atLeast }: Bounds): number {
  const believed = Math.min(got, Math.max(factor * usual, atLeast));
  return usual === 0 ? believed : usual + WEIGHT * (believed - usual);
}
