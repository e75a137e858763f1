/**
 * Compaction: a target that has no room for all its denials gets fewer and broader ones, first all sessions of one workload
 * there, then all sessions there. They are published in the revocation log like any revocation. Tasks stay alive, and their
 * workloads get new sessions. No dead session is ever left out.
 */
import { sessionsOf } from '../domain/hangs-on.js';
import { BROKER } from '../domain/reserved.js';
import type { Ledger } from '../ledger/ledger.js';
import { revoke } from '../ledger/revoke.js';
import type { DesiredDenials } from './desired-denials.js';

/** Compaction begins above this share of a target's room, and ends below the other, so that it is not needed again at once. */
export const COMPACT_ABOVE = 0.9;
const COMPACT_TO = 0.6;

/** @param fill The share of the target's room that all these denials take. */
export async function compact(ledger: Ledger, target: string, desired: DesiredDenials, fill: number): Promise<void> {
  const workloads = crowdedWorkloads(desired, fill);
  if (workloads.length === 0) return cutOff(ledger, target);
  for (const workload of workloads) await cutOff(ledger, sessionsOf(target, workload));
}

async function cutOff(ledger: Ledger, value: string): Promise<void> {
  await revoke(ledger, {
    selector: { kind: 'target', value },
    effect: 'cutoff',
    reason: 'the target has no room for so many separate denials',
    actor: BROKER,
  });
}

/** Returns the workloads with the most denials, as many as it takes to make room. Empty if all of them together would not. */
function crowdedWorkloads(desired: DesiredDenials, fill: number): string[] {
  const counts = new Map<string, number>();
  for (const { kind, workload } of desired.values())
    if (kind !== 'workload' && workload !== '') counts.set(workload, (counts.get(workload) ?? 0) + 1);
  const surplus = desired.size * (1 - COMPACT_TO / fill);
  const chosen: string[] = [];
  let saved = 0;
  for (const [workload, count] of [...counts].sort(([, a], [, b]) => b - a)) {
    if (saved >= surplus) break;
    chosen.push(workload);
    saved += count - 1; // One denial of the workload replaces them all.
  }
  return saved >= surplus ? chosen : [];
}
