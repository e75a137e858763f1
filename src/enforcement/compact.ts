/**
 * When a target cannot hold all that it should deny, the deaths are made fewer and wider, in the log like every death: first
 * all sessions of one workload there, then all sessions there. Tasks live on, and ask again. Nothing is ever left out.
 */
import { sessionsOf } from '../domain/hangs-on.js';
import type { Ledger } from '../ledger/ledger.js';
import { revoke } from '../ledger/revoke.js';
import type { Denials } from './desired-denials.js';

/** Above this part of what fits, room is made; down to this, so that it is not made again at once. */
export const FULL = 0.9;
const ROOMY = 0.6;

/** @param fill What all of these take of what fits. */
export async function compact(ledger: Ledger, target: string, denials: Denials, fill: number): Promise<void> {
  const workloads = crowdedWorkloads(denials, fill);
  if (workloads.length === 0) return cutOff(ledger, target);
  for (const workload of workloads) await cutOff(ledger, sessionsOf(target, workload));
}

async function cutOff(ledger: Ledger, value: string): Promise<void> {
  await revoke(ledger, {
    selector: { kind: 'target', value },
    effect: 'cutoff',
    reason: 'its target has no room for so many single ends',
    actor: 'broker',
  });
}

/** Those with most lines of their own, as many as it takes; none, when all of them together would not make room. */
function crowdedWorkloads(denials: Denials, fill: number): string[] {
  const lines = new Map<string, number>();
  for (const { kind, workload } of denials.values())
    if (kind !== 'generation' && workload !== '') lines.set(workload, (lines.get(workload) ?? 0) + 1);
  const surplus = denials.size * (1 - ROOMY / fill);
  const chosen: string[] = [];
  let saved = 0;
  for (const [workload, count] of [...lines].sort(([, a], [, b]) => b - a)) {
    if (saved >= surplus) break;
    chosen.push(workload);
    saved += count - 1; // One line denies them all.
  }
  return saved >= surplus ? chosen : [];
}
