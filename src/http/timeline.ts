/** GET /timeline: the events of a task or a workload, oldest first, as sentences and ids. It needs the permission to read the audit log. */
import { z } from 'zod';
import { describeEntry } from '../audit/describe-entry.js';
import type { AuditEntry } from '../audit/event.js';
import { AUDIT_EVENT_TYPES } from '../domain/audit-event-types.js';
import { defined } from '../domain/defined.js';
import { nameSchema, natural } from '../domain/schemas.js';
import { toTimestamp } from '../domain/time.js';
import { json, time } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { printable, timestamp, wholeNumber } from './wire/fields.js';
import { brokerOperation } from './wire/operation.js';
import { readTimeline } from '../inventory/timeline.js';
import { openForReading } from './audit.js';
import type { HttpDeps } from './deps.js';

const input = z
  .strictObject({
    task: printable(64).exactOptional().describe('The id of a task. Send this, `workload` or `requestId`.'),
    workload: nameSchema().exactOptional().describe('The id of a workload.'),
    requestId: printable(64).exactOptional().describe('The `X-Request-ID` of a request.'),
    from: timestamp.exactOptional().describe('Not before.'),
    to: timestamp.exactOptional().describe('Before.'),
    after: wholeNumber(0, Number.MAX_SAFE_INTEGER).exactOptional().describe('The `next` of the page before.'),
    limit: wholeNumber(1, 1_000).default(100).describe('So many at most. Default: 100.'),
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

const entryAnswer = z.strictObject({
  seq: natural.describe('The number of its line in the audit log, which has all of it.'),
  at: time(),
  type: z.enum(AUDIT_EVENT_TYPES),
  by: z.string().exactOptional().describe('Who did it; absent for the broker itself.'),
  text: z.string().describe('What happened, as a sentence.'),
  reason: z.string().exactOptional(),
  purpose: z.string().exactOptional(),
  task: z.string().exactOptional(),
  workload: z.string().exactOptional(),
  credential: z.string().exactOptional(),
  target: z.string().exactOptional(),
  policies: z.array(z.string()).exactOptional().describe('The ids of the policies that decided.'),
  revocation: natural.exactOptional().describe('The number of the revocation.'),
  signal: z.string().exactOptional().describe('The id of the signal.'),
});

const timelineAnswer = z.strictObject({
  entries: z.array(entryAnswer),
  next: natural.exactOptional().describe('The `after` of the next page; absent on the last.'),
});

export const timeline = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readAudit',
    summary:
      'Tells what happened to a task, a workload or a request, oldest first: grants, refusals, uses after the end, and the signals and ' +
      'revocations that hit it by whatever name.',
    answers: { 200: json(timelineAnswer) },
    refusals: ['not_found'],
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
