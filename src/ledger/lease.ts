/** A lease: of several brokers one does a piece of work. If it dies, the next one waits until the lease ends. */

interface Lease {
  /** The broker that took it. */
  holder: string;
  /** When it ends, by the clock of that broker; 0 once it is given up. Milliseconds. */
  leasedUntil: number;
}

interface LeaseTimes {
  lengthMs: number;
  /** With less than this left, the holder writes it anew. */
  renewBelowMs: number;
}

/**
 * `theirs`: another broker has it. `mine`: this broker has it, and writes nothing. `renew`: this broker was the last that had
 * it, and writes it anew. `take`: nobody has it.
 */
type Standing = 'theirs' | 'mine' | 'renew' | 'take';

export function standingOf(
  lease: Lease | undefined,
  node: string,
  now: number,
  { lengthMs, renewBelowMs }: LeaseTimes,
): Standing {
  const leftMs = lease ? lease.leasedUntil - now : 0;
  // With more left than its length, a lease was taken by a clock that has been set back since. Nobody waits for it.
  const stands = leftMs > 0 && leftMs <= lengthMs;
  if (lease?.holder === node) return stands && leftMs > renewBelowMs ? 'mine' : 'renew';
  return stands ? 'theirs' : 'take';
}

/**
 * Returns the record without its lease, to be written at the end of a process, so that the next broker need not wait. Returns
 * undefined when this broker was not the last that had it.
 */
export const released = <T extends Lease>(record: T | undefined, node: string): T | undefined =>
  record?.holder === node ? { ...record, leasedUntil: 0 } : undefined;
