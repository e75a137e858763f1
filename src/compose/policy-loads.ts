/**
 * Enters in the audit log which policies came into force. They are in force all the same while the log takes no entries, for
 * example on a full disk: then a broker must still start, or nobody could revoke. Such entries are made later.
 */
import type { AuditEvent } from '../audit/event.js';
import type { AuditLog } from '../audit/log.js';
import type { Clock } from '../domain/time.js';
import type { Logger } from '../telemetry/log.js';

export interface PolicyLoads {
  /** Enters that these policies are in force now, or leaves it to `catchUp`. */
  enter(digest: string): Promise<void>;
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
    async enter(installed) {
      waiting.push({ type: 'policy.loaded', at: clock.unchecked(), installed });
      await catchUp().catch((err: unknown) => log.error({ err }, 'the policies in force are not yet in the audit log'));
    },
    catchUp,
  };
}
