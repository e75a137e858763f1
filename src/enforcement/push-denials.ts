/** Tells one target all that it must deny, where it has not been told yet, and remembers in the ledger how far it knows. */
import { defined } from '../domain/defined.js';
import { CUTOFF_DENIED_MS, PUSH_PAUSE_MS, PUSH_RETRY_MAX_MS, RESIDUAL_MS, TIDY_AFTER_MS } from '../domain/timing.js';
import type { Ledger } from '../ledger/ledger.js';
import { changeEnforcement, writeEnforcement, type Enforcement } from '../ledger/enforcement.js';
import type { Denials as Order, Enforcer } from '../minters/minter.js';
import { compact, FULL } from './compact.js';
import type { HeldTarget } from './lease.js';
import { settledMarks } from './effect.js';
import type { Denials } from './desired-denials.js';

export interface TellDeps {
  ledger: Ledger;
  enforcer: Enforcer;
  events: TellEvents;
}

/** Must not throw. */
export interface TellEvents {
  /** @param fill What it takes of what the target can hold: 1 is all of it. */
  told(target: string, order: Order, fill: number): void;
  deaf(target: string, error: unknown, since: number): void;
  /** It was deaf, and turns out to know all there is: nothing had to be written. */
  heard(target: string): void;
  drifted(target: string): void;
  /** Of some credentials nobody knows whether they live. They are denied; somebody must look at their records. */
  unreadable(errors: readonly unknown[]): void;
  /** Another broker tells it now. */
  left(target: string): void;
}

/** What the holder knows beyond the ledger. Whoever lacks it tells the target again. */
export interface Memory {
  told?: { fence: number; denials: Denials; order: Order };
  failures: number;
  /** By the clock that nobody sets. Milliseconds. */
  retryAt: number;
}

/** `settled`: it knows all there is; `waiting`: something is left for later; `again`: the log has changed under way. */
type Told = 'settled' | 'waiting' | 'again';

/** What is known of the dead now. */
interface Known {
  denials: Denials;
  /** What expires after this may live. Milliseconds. */
  past: number;
  /** How many may live there. */
  unspent: number;
}

export async function tellTarget(deps: TellDeps, held: HeldTarget, known: Known, memory: Memory): Promise<Told> {
  const { denials, past } = known;
  const { ledger, enforcer } = deps;
  const { target, stored, cutoff } = held;
  const now = ledger.clock.now();
  if (memory.told?.fence !== stored.value.fence) delete memory.told;

  const order = orderOf(denials, cutoff.at + CUTOFF_DENIED_MS > past ? cutoff.at : undefined);
  const fill = enforcer.fill(target, order);
  if (fill > FULL && !held.isCutoffNew) {
    await compact(ledger, target, denials, fill);
    return 'again';
  }
  const news = compare(memory.told, known, order);
  const mayWait = news === 'none' || news === 'soon over' || (news === 'less' && !isOld(stored.value, now));
  if (mayWait && !held.isCutoffNew) return news === 'soon over' ? 'waiting' : advance(deps, held, known.unspent);
  if (ledger.clock.elapsed() < memory.retryAt) return 'waiting';
  return write(deps, held, { denials, order, fill, unspent: known.unspent }, memory);
}

/** Nothing is missing at the target: what it was told last holds every death up to now. */
async function advance(
  { ledger, events }: TellDeps,
  { target, stored, seq }: HeldTarget,
  unspent: number,
): Promise<Told> {
  const { failingSince, ...state } = stored.value;
  const marks = [...state.marks];
  const last = marks.pop();
  if ((last && last.seq < seq) || failingSince !== undefined || state.unspent !== unspent) {
    const now = ledger.clock.now();
    const next = settledMarks([...marks, ...(last ? [{ ...last, seq }] : [])], now);
    const written = await writeEnforcement(ledger, target, stored, { ...state, unspent, marks: next });
    if (written && failingSince !== undefined) events.heard(target);
  }
  return 'settled';
}

async function write(
  deps: TellDeps,
  held: HeldTarget,
  { denials, order, fill, unspent }: { denials: Denials; order: Order; fill: number; unspent: number },
  memory: Memory,
): Promise<Told> {
  const { ledger, enforcer, events } = deps;
  const { target, stored, cutoff, seq } = held;
  const { failingSince, ...state } = stored.value;
  delete memory.told; // Until it is known to have happened.
  const startedAt = ledger.clock.elapsed();
  if (startedAt > held.writesUntil) return 'again'; // Looking took so long that another may hold it when this ends.
  try {
    await enforcer.enforce(target, order, state.fence);
  } catch (error) {
    const since = failingSince ?? ledger.clock.now();
    memory.failures += 1;
    memory.retryAt = ledger.clock.elapsed() + Math.min(PUSH_RETRY_MAX_MS, PUSH_PAUSE_MS * 2 ** (memory.failures - 1));
    if (!(await writeEnforcement(ledger, target, stored, { ...state, failingSince: since })))
      await wroteLate(ledger, held);
    events.deaf(target, error, since);
    return 'waiting';
  }
  const at = ledger.clock.now();
  const marks = settledMarks([...state.marks, { seq, at }], at);
  const written = await writeEnforcement(ledger, target, stored, { ...state, cutoff, marks, unspent, writtenAt: at });
  memory.failures = 0;
  memory.retryAt = startedAt + PUSH_PAUSE_MS;
  if (!written) {
    await wroteLate(ledger, held);
    return 'again';
  }
  memory.told = { fence: state.fence, denials, order };
  events.told(target, order, fill);
  return 'settled';
}

/** Another broker holds it by now, and what it told may have been overwritten here: it is made to tell it again. */
const wroteLate = (ledger: Ledger, { target, stored }: HeldTarget): Promise<boolean> =>
  changeEnforcement(ledger, target, ({ fence }) =>
    fence === stored.value.fence ? undefined : { fence: fence + 1, marks: [] },
  );

/** What the target lacks, or has too much. */
function compare(told: Memory['told'], { denials, past }: Known, order: Order): 'none' | 'less' | 'soon over' | 'more' {
  if (!told) return 'more';
  const missing = [...denials].filter(([key]) => !told.denials.has(key));
  if (missing.some(([, { until }]) => until > past + RESIDUAL_MS)) return 'more';
  if (missing.length > 0) return 'soon over';
  const isLess = told.denials.size > denials.size || told.order.issuedBefore !== order.issuedBefore;
  return isLess ? 'less' : 'none';
}

const isOld = ({ writtenAt = 0 }: Enforcement, now: number): boolean => Math.abs(now - writtenAt) >= TIDY_AFTER_MS;

function orderOf(denials: Denials, issuedBefore: number | undefined): Order {
  const valuesOf = (kind: string) =>
    [...denials.values()]
      .filter((denial) => denial.kind === kind)
      .map(({ value }) => value)
      .sort();
  return defined({
    credentials: valuesOf('credential'),
    tasks: valuesOf('task'),
    generations: valuesOf('generation'),
    issuedBefore,
  });
}
