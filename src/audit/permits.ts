/**
 * Gathers what was permitted where credentials are used: every tool call asks, so an entry for each would be most of the audit log.
 * All of it is in memory until the minute ends; a broker that is killed loses that minute. Each broker gathers for itself.
 */
import { defined } from '../domain/defined.js';
import type { AuditEvent } from './event.js';

interface Permits {
  /** Adds one use, or the `times` uses of an event that was not entered. */
  add(event: AuditEvent): void;
  /** Returns one event for each caller, credential, action and resource. */
  endMinute(): AuditEvent[];
}

/** Different uses that are kept apart. What is beyond that is counted for its caller and target alone. */
const USES_KEPT = 1_000;

export function gatherPermits(): Permits {
  let uses = new Map<string, AuditEvent>();
  return {
    add(event) {
      const named = keyOf(event);
      const isKept = uses.has(named) || uses.size < USES_KEPT;
      const use = isKept ? event : withoutDetails(event);
      const key = isKept ? named : keyOf(use);
      const times = (uses.get(key)?.times ?? 0) + (event.times ?? 1);
      uses.set(key, { ...use, times });
    },
    endMinute() {
      const ended = [...uses.values()];
      uses = new Map();
      return ended;
    },
  };
}

const keyOf = ({ actor, credential, target, access }: AuditEvent): string =>
  JSON.stringify([actor?.id, credential, target, access]);

const withoutDetails = ({ type, at, actor, target }: AuditEvent): AuditEvent => defined({ type, at, actor, target });
