/** A moment as IAM policies and AWS's credential formats write it: RFC 3339, UTC, whole seconds. */
import { toSeconds, toTimestamp } from '../../domain/time.js';

/** Rounded down: nothing may last longer than its record by a fraction of a second. */
export const toInstant = (ms: number): string => toTimestamp(toSeconds(ms) * 1_000).replace('.000Z', 'Z');
