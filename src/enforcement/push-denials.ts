/** Pushes to one target all that it must deny, if it has not got it yet, and records in the ledger how far it is current. */
import { defined } from '../domain/defined.js';
import { CUTOFF_DENIED_MS, PUSH_PAUSE_MS, PUSH_RETRY_MAX_MS, RESIDUAL_MS, TIDY_AFTER_MS } from '../domain/timing.js';
import { changeEnforcement, writeEnforcement, type Enforcement } from '../ledger/enforcement.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Denials, Enforcer } from '../minters/minter.js';
import { compact, COMPACT_ABOVE } from './compact.js';
import type { DesiredDenials } from './desired-denials.js';
import { settledMarks } from './effect.js';
import type { LeasedTarget } from './lease.js';

export interface PushDeps {
  ledger: Ledger;
  enforcer: Enforcer;
  events: PushEvents;
}

/** What is reported of pushes, for metrics, log and audit. These functions must not throw. */
export interface PushEvents {
  /** @param fill The share of the target's room that the denials take: 1 is all of the room. */
  pushed(target: string, denials: Denials, fill: number): void;
  /** @param since When pushing began to fail. Milliseconds. */
  failing(target: string, error: unknown, since: number): void;
  /** Reports that pushing no longer fails: the target already has the current denials, so no write was needed. */
  recovered(target: string): void;
  /** Reports that somebody else changed what the target denies. */
  drifted(target: string): void;
  /**
   * Reports that the records of some sessions cannot be read. The sessions are denied, and an operator must look at the
   * records.
   */
  unreadable(errors: readonly unknown[]): void;
  /** Reports that another broker has the lease of the target now. That broker reports on it from now on. */
  leaseLost(target: string): void;
}

/** What the holder of a lease remembers of one target, beyond the ledger. A broker without it pushes again. */
export interface PushMemory {
  /** What the target has. Absent if that is not known. */
  pushed?: { fence: number; desired: DesiredDenials; denials: Denials };
  failures: number;
  /** By the monotonic clock. Milliseconds. */
  retryAt: number;
}

/** `in-sync`: the target has all; `waiting`: something is left for a later turn; `again`: the ledger changed meanwhile. */
type PushResult = 'in-sync' | 'waiting' | 'again';

/** The desired state of one target. */
interface Desired {
  desired: DesiredDenials;
  /** A time that has surely passed, in milliseconds. Sessions that expire later may still be accepted. */
  surelyPast: number;
  /** How many sessions have not expired. */
  live: number;
}

export async function pushDenials(
  deps: PushDeps,
  leased: LeasedTarget,
  state: Desired,
  memory: PushMemory,
): Promise<PushResult> {
  const { desired, surelyPast } = state;
  const { ledger, enforcer } = deps;
  const { target, stored, cutoff } = leased;
  const now = ledger.clock.unchecked();
  if (memory.pushed?.fence !== stored.value.fence) delete memory.pushed;

  const denials = denialsOf(desired, cutoff.at + CUTOFF_DENIED_MS > surelyPast ? cutoff.at : undefined);
  const fill = enforcer.fill(target, denials);
  if (fill > COMPACT_ABOVE && !leased.isCutoffNew) {
    await compact(ledger, target, desired, fill);
    return 'again';
  }
  const difference = compare(memory.pushed, state, denials);
  const mayWait =
    difference === 'none' || difference === 'expiring' || (difference === 'surplus' && !isOld(stored.value, now));
  if (mayWait && !leased.isCutoffNew) return difference === 'expiring' ? 'waiting' : advance(deps, leased, state.live);
  if (ledger.clock.elapsed() < memory.retryAt) return 'waiting';
  return write(deps, leased, { desired, denials, fill, live: state.live }, memory);
}

/** Records, without a write to the target, that what it has denies everything dead up to now. */
async function advance(
  { ledger, events }: PushDeps,
  { target, stored, seq }: LeasedTarget,
  live: number,
): Promise<PushResult> {
  const { failingSince, ...state } = stored.value;
  const marks = [...state.marks];
  const last = marks.pop();
  if ((last && last.seq < seq) || failingSince !== undefined || state.liveCount !== live) {
    const now = ledger.clock.unchecked();
    const next = settledMarks([...marks, ...(last ? [{ ...last, seq }] : [])], now);
    const written = await writeEnforcement(ledger, target, stored, { ...state, liveCount: live, marks: next });
    if (written && failingSince !== undefined) events.recovered(target);
  }
  return 'in-sync';
}

interface Push {
  desired: DesiredDenials;
  denials: Denials;
  fill: number;
  live: number;
}

async function write(
  deps: PushDeps,
  leased: LeasedTarget,
  { desired, denials, fill, live }: Push,
  memory: PushMemory,
): Promise<PushResult> {
  const { ledger, enforcer, events } = deps;
  const { target, stored, cutoff, seq } = leased;
  const { failingSince, ...state } = stored.value;
  delete memory.pushed; // Until the write is known to have happened, nothing is known of the target.
  const startedAt = ledger.clock.elapsed();
  if (startedAt > leased.pushBefore) return 'again'; // Computing took so long that the lease may end during the write.
  try {
    await enforcer.enforce(target, denials, state.fence);
  } catch (error) {
    const since = failingSince ?? ledger.clock.unchecked();
    memory.failures += 1;
    memory.retryAt = ledger.clock.elapsed() + Math.min(PUSH_RETRY_MAX_MS, PUSH_PAUSE_MS * 2 ** (memory.failures - 1));
    if (!(await writeEnforcement(ledger, target, stored, { ...state, failingSince: since })))
      await invalidate(ledger, leased);
    events.failing(target, error, since);
    return 'waiting';
  }
  const at = ledger.clock.unchecked();
  const marks = settledMarks([...state.marks, { seq, at }], at);
  const next = { ...state, cutoff, marks, liveCount: live, writtenAt: at };
  const written = await writeEnforcement(ledger, target, stored, next);
  memory.failures = 0;
  memory.retryAt = startedAt + PUSH_PAUSE_MS;
  if (!written) {
    await invalidate(ledger, leased);
    return 'again';
  }
  memory.pushed = { fence: state.fence, desired, denials };
  events.pushed(target, denials, fill);
  return 'in-sync';
}

/**
 * Raises the fence if another broker has the lease by now: this broker's late write may have replaced what that one wrote,
 * so that one must push again.
 */
const invalidate = (ledger: Ledger, { target, stored }: LeasedTarget): Promise<unknown> =>
  changeEnforcement(ledger, target, ({ fence }) =>
    fence === stored.value.fence ? undefined : { fence: fence + 1, marks: [] },
  );

/**
 * Returns how what the target has differs from what it should have. `expiring`: only sessions are missing that expire
 * before a push would be effective; `surplus`: none is missing, some could go.
 */
function compare(
  pushed: PushMemory['pushed'],
  { desired, surelyPast }: Desired,
  denials: Denials,
): 'none' | 'surplus' | 'expiring' | 'missing' {
  if (!pushed) return 'missing';
  const missing = [...desired].filter(([key]) => !pushed.desired.has(key));
  if (missing.some(([, { until }]) => until > surelyPast + RESIDUAL_MS)) return 'missing';
  if (missing.length > 0) return 'expiring';
  const isSurplus = pushed.desired.size > desired.size || pushed.denials.issuedBefore !== denials.issuedBefore;
  return isSurplus ? 'surplus' : 'none';
}

const isOld = ({ writtenAt = 0 }: Enforcement, now: number): boolean => Math.abs(now - writtenAt) >= TIDY_AFTER_MS;

function denialsOf(desired: DesiredDenials, issuedBefore: number | undefined): Denials {
  const valuesOf = (kind: string) =>
    [...desired.values()]
      .filter((denial) => denial.kind === kind)
      .map(({ value }) => value)
      .sort();
  return defined({
    credentials: valuesOf('credential'),
    tasks: valuesOf('task'),
    workloads: valuesOf('workload'),
    issuedBefore,
  });
}
