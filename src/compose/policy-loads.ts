/**
 * Enters in the audit log which policies came into force. They are in force all the same while the log takes no entries, for
 * example on a full disk: then a broker must still start, or nobody could revoke. Such entries are made later.
 */
import type { AuditEvent } from '../audit/event.js';
import type { AuditLog } from '../audit/log.js';
import { defined } from '../domain/defined.js';
import type { Clock } from '../domain/time.js';
import type { PolicyEngine } from '../policy/policy-engine.js';
import type { Logger } from '../telemetry/log.js';

/** A policy set, and what an engine elsewhere calls it. */
type InForce = Pick<PolicyEngine, 'digest' | 'named'>;

export interface PolicyLoads {
  /** Enters that these policies are in force now, or leaves it to `catchUp`. */
  enter(policy: InForce): Promise<void>;
  /** Makes the entries that could not be made before. */
  catchUp(): Promise<void>;
}

interface PolicyLoadsDeps {
  audit: Pick<AuditLog, 'append'>;
  clock: Clock;
  log: Pick<Logger, 'error'>;
}

export function policyLoads({ audit, clock, log }: PolicyLoadsDeps): PolicyLoads {
  let waiting: AuditEvent[] = [];
  async function catchUp(): Promise<void> {
    const events = waiting;
    waiting = [];
    try {
      for (; events[0]; events.shift()) await audit.append(events[0]);
    } finally {
      waiting.unshift(...events);
    }
  }
  return {
    async enter({ digest: installed, named: reason }) {
      // An engine elsewhere that has not answered yet: nothing is in force.
      if (installed === '') return;
      waiting.push(defined({ type: 'policy.loaded' as const, at: clock.unchecked(), installed, reason }));
      await catchUp().catch((err: unknown) => log.error({ err }, 'the policies in force are not yet in the audit log'));
    },
    catchUp,
  };
}
