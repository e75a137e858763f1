/**
 * The reconciler makes each target deny what is dead: it computes the desired state, compares it with what the target has, and
 * pushes the whole desired state where the two differ. It is level-triggered: a missed, doubled or lost event is repaired
 * by the next turn.
 */
import type { Credential } from '../domain/credential.js';
import { parseEpoch } from '../domain/liveness.js';
import { FULL_LOOK_MS, LOST_AFTER_MS } from '../domain/timing.js';
import { changeEnforcement } from '../ledger/enforcement.js';
import { desiredState, forgetExpired } from './desired-denials.js';
import { leaseTargets, releaseLease, type LeasedTarget } from './lease.js';
import { pushDenials, type PushDeps, type PushMemory } from './push-denials.js';

interface ReconcileDeps extends PushDeps {
  targets: readonly string[];
  /** The name of this broker among those that share the ledger. */
  node: string;
}

export interface Reconciler {
  /**
   * @param surelyPast A time that has surely passed, in milliseconds; 0 if the time is not known. Sessions that expire later
   *   may still be accepted.
   */
  run(surelyPast: number): Promise<void>;
  /** Reads back what the targets deny. If somebody changed it, the next run pushes again. */
  check(): Promise<void>;
  /** Lets another broker take over at once when this process ends. */
  releaseLeases(): Promise<void>;
}

/** Compaction publishes revocations, which the same run must push. It takes two rounds at most; others may publish too. */
const ROUNDS = 3;

export function createReconciler(deps: ReconcileDeps): Reconciler {
  const { ledger, targets, node } = deps;
  const memories = new Map(targets.map((target): [string, PushMemory] => [target, { failures: 0, retryAt: 0 }]));
  let inSync: { seq: number; since: number } | undefined;

  return {
    async run(given) {
      // If the target's clock disagrees with ours, our clock cannot say which sessions have expired there.
      const surelyPast = deps.enforcer.clockAgrees() ? given : 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        const { seq, leased } = await leaseTargets(ledger, targets, node);
        forgetLost(deps, leased, memories);
        const now = ledger.clock.unchecked();
        const nothingNew = inSync?.seq === seq && Math.abs(now - inSync.since) < FULL_LOOK_MS;
        if (leased.length === 0 || (nothingNew && leased.every((one) => isInSync(one, memories.get(one.target)))))
          return;
        const results = await turn(deps, leased, memories, surelyPast);
        inSync = results.every((one) => one === 'in-sync') ? { seq, since: now } : undefined;
        if (!results.includes('again')) return;
      }
    },
    async check() {
      await Promise.all([...memories].map(([target, memory]) => checkTarget(deps, target, memory)));
    },
    async releaseLeases() {
      for (const target of targets) await releaseLease(ledger, target, node);
    },
  };
}

/**
 * The fence is compared too, because an unchanged number of the log is not enough: another log may have replaced it, or a
 * former holder of the lease may have written late.
 */
const isInSync = ({ stored, isCutoffNew }: LeasedTarget, memory: PushMemory | undefined): boolean =>
  !isCutoffNew && memory?.pushed?.fence === stored.value.fence;

/** Forgets what is known of targets whose lease another broker has now: it is soon out of date. */
function forgetLost(
  { events }: ReconcileDeps,
  leased: readonly LeasedTarget[],
  memories: Map<string, PushMemory>,
): void {
  for (const [target, { pushed, failures }] of memories) {
    if ((!pushed && failures === 0) || leased.some((one) => one.target === target)) continue;
    memories.set(target, { failures: 0, retryAt: 0 });
    events.leaseLost(target);
  }
}

async function turn(
  deps: ReconcileDeps,
  leased: readonly LeasedTarget[],
  memories: ReadonlyMap<string, PushMemory>,
  surelyPast: number,
) {
  const byTarget = new Map(leased.map((one) => [one.target, one]));
  const isCutOff = (credential: Credential) => wasCutOff(credential, byTarget.get(credential.target));
  const { denials, live, expired, unreadable } = await computeState(deps, leased, { isCutOff, surelyPast });
  if (unreadable.length > 0) deps.events.unreadable(unreadable);
  const results = await Promise.all(
    leased.map((one) => {
      const { target } = one;
      const memory = memories.get(target) ?? { failures: 0, retryAt: 0 };
      const state = { desired: denials.get(target) ?? new Map(), surelyPast, live: live.get(target) ?? 0 };
      return pushDenials(deps, one, state, memory);
    }),
  );
  await forgetExpired(deps.ledger, expired);
  return results;
}

/**
 * A broker that has the lease of a target claims that it keeps the target current. If it cannot compute the desired state, it
 * records that pushing fails: otherwise minting would go on, and receipts would blame nothing.
 */
async function computeState(
  { ledger, events }: ReconcileDeps,
  leased: readonly LeasedTarget[],
  circumstances: Parameters<typeof desiredState>[2],
): ReturnType<typeof desiredState> {
  const targets = leased.map(({ target }) => target);
  try {
    return await desiredState(ledger, targets, circumstances);
  } catch (error) {
    for (const { target, stored } of leased) {
      const failingSince = stored.value.failingSince ?? ledger.clock.unchecked();
      await changeEnforcement(ledger, target, (state) =>
        state.failingSince === undefined ? { failingSince } : undefined,
      );
      events.failing(target, error, failingSince);
    }
    throw error;
  }
}

/**
 * Returns whether the target denies a session by its time of issue, because it was issued before the cutoff. A reservation
 * whose minter has not answered may be issued as late as LOST_AFTER_MS after it was made. If the clock was set back since
 * the session was issued, the session seems to be newer than its own cutoff: it is then denied by name.
 */
function wasCutOff({ epoch, state, issuedAt }: Credential, leased: LeasedTarget | undefined): boolean {
  if (!leased) return false;
  const { generation, seq } = parseEpoch(epoch);
  const { cutoff, stored } = leased;
  const wasBornBefore = generation !== stored.value.generation || seq < cutoff.seq;
  return wasBornBefore && issuedAt + (state === 'active' ? 0 : LOST_AFTER_MS) < cutoff.at;
}

async function checkTarget(
  { ledger, enforcer, events }: ReconcileDeps,
  target: string,
  memory: PushMemory,
): Promise<void> {
  const { pushed } = memory;
  if (!pushed || (await enforcer.isInForce(target, pushed.denials, pushed.fence))) return;
  if (memory.pushed !== pushed) return; // A push happened while the target was read.
  delete memory.pushed;
  events.drifted(target);
  await changeEnforcement(ledger, target, ({ fence, marks }) =>
    fence === pushed.fence && marks.length > 0 ? { marks: [] } : undefined,
  );
}
