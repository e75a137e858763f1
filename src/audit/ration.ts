/**
 * Rations the entries that anybody can cause without anything being made or ended by them. Otherwise one caller without any
 * right could fill the store, and then nobody mints.
 */
import type { Access } from '../domain/access.js';
import type { Clock } from '../domain/time.js';
import type { AuditEvent } from './event.js';
import type { AuditLog } from './log.js';
import { createShares } from './shares.js';
import { gatherUses } from './uses.js';

export interface RationedAuditLog extends AuditLog {
  /**
   * Ends the minute: enters one line for each caller, and each issuer, of which events were counted and not entered; and the uses
   * that were gathered.
   */
  enterCounts(): Promise<void>;
}

/**
 * A new type does not compile before it says which it is: `always` only for what made, ended or changed something, `gathered` for
 * what happens at every use of a credential.
 */
const ENTERED: Record<AuditEvent['type'], 'always' | 'rationed' | 'gathered'> = {
  'credential.granted': 'always',
  'credential.given_again': 'rationed',
  'credential.refused': 'rationed',
  'task.opened': 'always',
  'revocation.published': 'always',
  'revocation.previewed': 'rationed',
  'operation.refused': 'rationed',
  'introspection.inactive': 'rationed',
  'access.permitted': 'gathered',
  'access.denied': 'rationed',
  'access.reported': 'gathered',
  'approval.requested': 'always',
  'approval.answered': 'always',
  'approval.emergency': 'always',
  'approval.reviewed': 'always',
  'approval.cancelled': 'always',
  'keys.rotated': 'always',
  'policy.loaded': 'always',
  'policy.trial': 'rationed',
  'audit.read': 'rationed',
  'audit.counted': 'always',
  'audit.pruned': 'always',
  'audit.gap': 'always',
  'target.synced': 'always',
  'target.sync_failed': 'always',
  'signal.evaluated': 'always',
  'signal.decided': 'always',
  'signal.decided_all': 'always',
  'signal.muted': 'always',
  'signal.unmuted': 'always',
  'revocation.lifted_all': 'always',
  'canary.minted': 'always',
  'log.replaced': 'always',
};

interface Surroundings {
  clock: Clock;
  /** Returns false when what is left of the store is kept for grants and endings. Then events are counted only. */
  hasRoom: () => boolean;
}

/** Returns the audit log as use cases see it. */
export function rationed(audit: AuditLog, { clock, hasRoom }: Surroundings): RationedAuditLog {
  const shares = createShares(hasRoom);
  const uses = gatherUses();
  return {
    ...audit,
    async append(event) {
      if (ENTERED[event.type] === 'always') return audit.append(event);
      if (ENTERED[event.type] === 'gathered') uses.add(event);
      else if (shares.take(event)) return audit.append(cut(event));
    },
    async enterCounts() {
      // Without room the counts go on, and are entered when there is room again.
      if (!hasRoom()) return;
      const counts = await enter(audit, shares.endMinute(clock.unchecked()));
      counts.forEach((event) => shares.putBack(event));
      const gathered = await enter(audit, uses.endMinute());
      gathered.forEach((event) => uses.add(event));
      const failed = counts.length + gathered.length;
      if (failed > 0) throw new Error(`${failed} lines with counts were not entered; the next run tries again`);
    },
  };
}

/** Returns the events that the audit log did not take. */
async function enter(audit: AuditLog, events: readonly AuditEvent[]): Promise<AuditEvent[]> {
  const entered = await Promise.allSettled(events.map((event) => audit.append(event)));
  return events.filter((_, place) => entered[place]?.status === 'rejected');
}

const PAIRS_KEPT = 4;
const POLICIES_KEPT = 8;

/**
 * Returns the event with a largest size: of what was asked for, the first pairs of path and action and the number of the others.
 * The entry of a grant is never cut, for a request that is granted has a bound.
 */
function cut(event: AuditEvent): AuditEvent {
  const { access = [], decision } = event;
  const kept = firstPairs(access);
  const omitted = countPairs(access) - countPairs(kept);
  return {
    ...event,
    ...(omitted > 0 && { access: kept, accessOmitted: omitted }),
    ...(decision && { decision: { ...decision, policies: decision.policies.slice(0, POLICIES_KEPT) } }),
  };
}

function firstPairs(access: readonly Access[]): Access[] {
  let left = PAIRS_KEPT;
  return access.flatMap(({ path, actions }) => {
    const kept = actions.slice(0, left);
    left -= kept.length;
    return kept.length > 0 ? [{ path, actions: kept }] : [];
  });
}

const countPairs = (access: readonly Access[]): number => access.reduce((sum, { actions }) => sum + actions.length, 0);
