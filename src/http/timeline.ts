/** GET /timeline: the events of a task or a workload, oldest first, as sentences and ids. It needs the permission to read the audit log. */
import { z } from 'zod';
import { describeEntry } from '../audit/describe-entry.js';
import type { AuditEntry } from '../audit/event.js';
import { defined } from '../domain/defined.js';
import { nameSchema } from '../domain/schemas.js';
import { toTimestamp } from '../domain/time.js';
import { ok } from './wire/endpoint.js';
import { printable, timestamp, wholeNumber } from './wire/fields.js';
import { brokerOperation } from './wire/operation.js';
import { readTimeline } from '../inventory/timeline.js';
import { openForReading } from './audit.js';
import type { HttpDeps } from './deps.js';

const input = z
  .strictObject({
    task: printable(64).exactOptional(),
    workload: nameSchema().exactOptional(),
    requestId: printable(64).exactOptional(),
    from: timestamp.exactOptional(),
    to: timestamp.exactOptional(),
    after: wholeNumber(0, Number.MAX_SAFE_INTEGER).exactOptional(),
    limit: wholeNumber(1, 1_000).default(100),
  })
  .transform(({ task, workload, requestId, ...page }, context) => {
    const named = [
      ...(task === undefined ? [] : [{ task }]),
      ...(workload === undefined ? [] : [{ workload }]),
      ...(requestId === undefined ? [] : [{ requestId }]),
    ];
    const [about, ...more] = named;
    if (about && more.length === 0) return { about, ...page };
    context.addIssue('Name a task, a workload or a request: exactly one of them');
    return z.NEVER;
  });

export const timeline = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readAudit',
    from: 'query',
    input,
    async act(permitted, request, call) {
      const audit = await openForReading(deps, permitted, call);
      const { entries, next } = await readTimeline({ ...deps, audit }, permitted, request);
      return ok(defined({ entries: entries.map(entryOnWire), next }));
    },
  });

/** Returns a short form of the entry. The complete entry is in the audit log, under its number. */
function entryOnWire(entry: AuditEntry) {
  const { seq, at, type, actor, task, workload, credential, target, revocation, signal, reason, purpose, decision } =
    entry;
  return defined({
    seq,
    at: toTimestamp(at),
    type,
    by: actor?.id,
    text: describeEntry(entry),
    reason,
    purpose,
    task,
    workload,
    credential,
    target,
    policies: decision?.policies,
    revocation: revocation?.seq,
    signal: signal?.id,
  });
}
