/**
 * Gathers what is done with credentials where they are used: what the broker permitted there, and what APIs report. Every tool call
 * is one, so an entry for each would be most of the audit log. All of it is in memory until the minute ends; a broker that is killed
 * loses that minute. Each broker gathers for itself.
 */
import { defined } from '../domain/defined.js';
import type { AuditEvent } from './event.js';

interface Uses {
  /** Adds one use, or the `times` uses of an event that stands for several or was not entered. */
  add(event: AuditEvent): void;
  /** Returns one event for each caller, credential, action, resource and answer. */
  endMinute(): AuditEvent[];
}

/**
 * Different uses that are kept apart. Of a task that uses more, the rest is counted for its credential alone; of a caller that says
 * more, for caller and target alone. So neither takes the room of the others.
 */
export const USES_KEPT = { inAll: 1_000, ofCaller: 500, ofTask: 64 } as const;

export function gatherUses(): Uses {
  let uses = new Map<string, AuditEvent>();
  let kept = createCounts();
  return {
    add(event) {
      const bare = withoutDetails(event);
      for (const use of [event, withoutAccess(event), bare]) {
        const key = keyOf(use);
        const before = uses.get(key);
        if (!before && use !== bare && !kept.take(use)) continue;
        uses.set(key, { ...use, times: (before?.times ?? 0) + (event.times ?? 1) });
        return;
      }
    },
    endMinute() {
      const ended = [...uses.values()];
      uses = new Map();
      kept = createCounts();
      return ended;
    },
  };
}

/** A use without access is none of its task's share: there is one for each credential. */
function createCounts() {
  const [callers, tasks] = [new Map<string, number>(), new Map<string, number>()];
  let all = 0;
  return {
    /** Returns whether there was room for one more use that is kept apart. */
    take(event: AuditEvent): boolean {
      const caller = callerOf(event);
      const task = event.access && event.task;
      const [ofCaller, ofTask] = [callers.get(caller) ?? 0, tasks.get(task ?? '') ?? 0];
      if (all >= USES_KEPT.inAll || ofCaller >= USES_KEPT.ofCaller) return false;
      if (task !== undefined && ofTask >= USES_KEPT.ofTask) return false;
      all += 1;
      callers.set(caller, ofCaller + 1);
      if (task !== undefined) tasks.set(task, ofTask + 1);
      return true;
    },
  };
}

/** Where nobody proves an identity, behind a gateway, it is the workload whose credential was shown. */
const callerOf = ({ actor, workload = '' }: AuditEvent): string => actor?.id ?? workload;

const keyOf = ({ type, actor, credential, target, access, outcome }: AuditEvent): string =>
  JSON.stringify([type, actor?.id, credential, target, access, outcome]);

const withoutAccess = (event: AuditEvent): AuditEvent => defined({ ...event, access: undefined });

const withoutDetails = ({ type, at, actor, target, outcome }: AuditEvent): AuditEvent =>
  defined({ type, at, actor, target, outcome });
