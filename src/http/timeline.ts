/** GET /timeline: what happened to a task or a workload, oldest first, in words and ids. Read like the audit log it comes from. */
import { defined } from '../domain/defined.js';
import { z } from 'zod';
import type { AuditEntry } from '../audit/event.js';
import { describeEntry } from '../audit/describe-entry.js';
import { readTimeline } from '../inventory/timeline.js';
import type { About } from '../inventory/timeline-subject.js';
import { BrokerError } from '../domain/errors.js';
import { toTimestamp } from '../domain/time.js';
import type { HttpDeps } from './deps.js';
import { ok } from './wire/endpoint.js';
import { brokerOperation } from './wire/operation.js';
import { printable, timestamp, wholeNumber } from './wire/fields.js';
import { auditReader } from './audit.js';

const input = z.strictObject({
  task: printable(64).exactOptional(),
  workload: printable(2048).exactOptional(),
  from: timestamp.exactOptional(),
  to: timestamp.exactOptional(),
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).exactOptional(),
  limit: wholeNumber(1, 1_000).default(100),
});

export const timeline = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readAudit',
    from: 'query',
    input,
    async act(caller, { task, workload, ...page }, call) {
      const about = oneOf(task, workload);
      await auditReader(deps, caller, call);
      const { entries, next } = await readTimeline(deps, { about, ...page });
      return ok(defined({ entries: entries.map(entryOnWire), next }));
    },
  });

function oneOf(task: string | undefined, workload: string | undefined): About {
  if (task !== undefined && workload === undefined) return { task };
  if (workload !== undefined && task === undefined) return { workload };
  throw new BrokerError('invalid_request', 'Name a task or a workload: exactly one of them.');
}

/** The whole of an entry is in the audit log, under its number. */
function entryOnWire(entry: AuditEntry) {
  const { seq, at, type, actor, task, workload, credential, target, revocation, signal, reason, purpose } = entry;
  return defined({
    seq,
    at: toTimestamp(at),
    type,
    by: actor?.id,
    text: describeEntry(entry),
    reason,
    ...{ purpose, task, workload, credential, target },
    revocation: revocation?.seq === undefined ? undefined : revocation.seq,
    signal: signal?.id,
  });
}
