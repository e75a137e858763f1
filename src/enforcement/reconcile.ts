/**
 * Tells targets of deaths: looks at what is dead, compares with what each was last told, and tells it all of it where that
 * differs. Level-triggered: whatever was missed, doubled or lost before is made good by the next turn.
 */
import type { Credential } from '../domain/credential.js';
import { parseEpoch } from '../domain/liveness.js';
import { FULL_LOOK_MS, LOST_AFTER_MS } from '../domain/timing.js';
import { changeEnforcement } from '../ledger/enforcement.js';
import { holdTargets, letGo, type HeldTarget } from './lease.js';
import { forgetSpent, survey } from './desired-denials.js';
import { tellTarget, type Memory, type TellDeps } from './push-denials.js';

interface ReconcileDeps extends TellDeps {
  targets: readonly string[];
  /** Names this broker among those that share the ledger. */
  node: string;
}

export interface Reconciler {
  /** @param past No later than the time can be, in milliseconds: what expires after it may live. 0 while nobody knows. */
  run(past: number): Promise<void>;
  /** Looks whether the targets still have what they were told; what is lost there is told again at the next run. */
  check(): Promise<void>;
  /** At the end of the process. */
  letGo(): Promise<void>;
}

/** The log changes under way when room is made, which is done in two steps at most; or by what dies meanwhile. */
const ROUNDS = 3;

export function createReconciler(deps: ReconcileDeps): Reconciler {
  const { ledger, targets, node } = deps;
  const memories = new Map(targets.map((target): [string, Memory] => [target, { failures: 0, retryAt: 0 }]));
  let idle: { seq: number; since: number } | undefined;

  return {
    async run(known) {
      // By a clock that AWS does not share nothing is over.
      const past = deps.enforcer.clockAgrees() ? known : 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const { seq, held } = await holdTargets(ledger, targets, node);
        leave(deps, held, memories);
        const now = ledger.clock.now();
        const nothingNew = idle?.seq === seq && Math.abs(now - idle.since) < FULL_LOOK_MS;
        if (held.length === 0 || (nothingNew && held.every((one) => isAsTold(one, memories.get(one.target))))) return;
        const told = await turn(deps, held, memories, past);
        idle = told.every((one) => one === 'settled') ? { seq, since: now } : undefined;
        if (!told.includes('again')) return;
      }
    },
    async check() {
      await Promise.all([...memories].map(([target, memory]) => checkTarget(deps, target, memory)));
    },
    async letGo() {
      for (const target of targets) await letGo(ledger, target, node);
    },
  };
}

/** Nothing new in the log is not enough: another log may stand where the old one stood, or somebody may have written late. */
const isAsTold = ({ stored, isCutoffNew }: HeldTarget, memory: Memory | undefined): boolean =>
  !isCutoffNew && memory?.told?.fence === stored.value.fence;

/** What is known of a target that another broker tells now is soon out of date. */
function leave({ events }: ReconcileDeps, held: readonly HeldTarget[], memories: Map<string, Memory>): void {
  for (const [target, { told, failures }] of memories) {
    if ((!told && failures === 0) || held.some((one) => one.target === target)) continue;
    memories.set(target, { failures: 0, retryAt: 0 });
    events.left(target);
  }
}

async function turn(
  deps: ReconcileDeps,
  held: readonly HeldTarget[],
  memories: ReadonlyMap<string, Memory>,
  past: number,
) {
  const { ledger } = deps;
  const byTarget = new Map(held.map((one) => [one.target, one]));
  const covered = (credential: Credential) => isCovered(credential, byTarget.get(credential.target));
  const { denials, spent, unspent, unreadable } = await surveyed(deps, held, { covered, past });
  if (unreadable.length > 0) deps.events.unreadable(unreadable);
  const told = await Promise.all(
    held.map((one) => {
      const memory = memories.get(one.target) ?? { failures: 0, retryAt: 0 };
      const { target } = one;
      const known = { denials: denials.get(target) ?? new Map(), past, unspent: unspent.get(target) ?? 0 };
      return tellTarget(deps, one, known, memory);
    }),
  );
  await forgetSpent(ledger, spent);
  return told;
}

/** Holding a target says that it is told; who cannot look at what is dead says that it is not. */
async function surveyed(
  { ledger, events }: ReconcileDeps,
  held: readonly HeldTarget[],
  how: Parameters<typeof survey>[2],
): ReturnType<typeof survey> {
  try {
    return await survey(
      ledger,
      held.map(({ target }) => target),
      how,
    );
  } catch (error) {
    for (const { target, stored } of held) {
      const failingSince = stored.value.failingSince ?? ledger.clock.now();
      await changeEnforcement(ledger, target, (state) =>
        state.failingSince === undefined ? { failingSince } : undefined,
      );
      events.deaf(target, error, failingSince);
    }
    throw error;
  }
}

/**
 * Denied by when it was issued: that was before it was handed out, or, where nobody knows, within the time it may take. By a
 * clock that was set back since, it may have been issued after its own cutoff.
 */
function isCovered({ epoch, state, issuedAt }: Credential, held: HeldTarget | undefined): boolean {
  if (!held) return false;
  const { generation, seq } = parseEpoch(epoch);
  const { cutoff, stored } = held;
  const wasBefore = generation !== stored.value.generation || seq < cutoff.seq;
  return wasBefore && issuedAt + (state === 'active' ? 0 : LOST_AFTER_MS) < cutoff.at;
}

async function checkTarget({ ledger, enforcer, events }: ReconcileDeps, target: string, memory: Memory): Promise<void> {
  const { told } = memory;
  if (!told || (await enforcer.isInForce(target, told.order, told.fence))) return;
  if (memory.told !== told) return; // It is told anew meanwhile.
  delete memory.told;
  events.drifted(target);
  await changeEnforcement(ledger, target, ({ fence, marks }) =>
    fence === told.fence && marks.length > 0 ? { marks: [] } : undefined,
  );
}
