/**
 * The endpoints of the audit log: exact lines, and the signed head. An offline check (`mayfly verify-audit`) fetches the head
 * first and then exports up to the line that the head names, because the head does not vouch for later lines.
 */
import { z } from 'zod';
import { auditLineSchema } from '../audit/chain.js';
import type { AuditLog } from '../audit/log.js';
import type { AuditFilter } from '../audit/page.js';
import { callerFields } from '../authorization/audit.js';
import type { Permitted } from '../authorization/permission.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { nameSchema, natural } from '../domain/schemas.js';
import { ok, type Answer, type Call } from './wire/endpoint.js';
import { json } from './wire/contract.js';
import { accepts, printable, timestamp, wholeNumber } from './wire/fields.js';
import { brokerOperation, nothing } from './wire/operation.js';
import type { HttpDeps } from './deps.js';

type AuditReader = Pick<AuditLog, 'page' | 'exportLines' | 'signedHead'>;

const EXPORT = 'application/x-ndjson';

const cursor = wholeNumber(0, Number.MAX_SAFE_INTEGER).exactOptional();

const readingInput = z.strictObject({
  task: printable(64).exactOptional().describe('The id of a task.'),
  workload: nameSchema().exactOptional().describe('The id of a workload.'),
  credential: printable(64).exactOptional().describe('The id of a credential.'),
  decision: printable(64).exactOptional().describe('The `decision_id` of a refusal.'),
  requestId: printable(64).exactOptional().describe('The `X-Request-ID` of a request.'),
  type: printable(64).exactOptional().describe('A type of entry: [audit.md](audit.md).'),
  from: timestamp.exactOptional().describe('Not before.'),
  to: timestamp.exactOptional().describe('Before.'),
  after: cursor.describe('Of a page, the `next` of the page before; of the whole log, the number of a line.'),
  limit: wholeNumber(1, 1_000).exactOptional().describe('Of a page: so many lines at most. Default: 100.'),
  upTo: cursor.describe('Of the whole log: the number of its last line.'),
});

const pageAnswer = z.strictObject({
  lines: z.array(z.string()).describe('Each the exact text of one line, as JSON.'),
  next: natural
    .exactOptional()
    .describe('The `after` of the next page; absent on the last. A page may be empty and not be the last.'),
});

/** GET /audit returns lines by filter, in pages; or, with `Accept: application/x-ndjson`, all lines. */
export const auditReading = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readAudit',
    summary:
      'Returns a page of lines that pass a filter; or, asked with `Accept: application/x-ndjson`, all of the log, to be kept ' +
      'and [verified](operations.md#exporting-and-verifying-the-audit-log). What a line has: [audit.md](audit.md).',
    answers: { 200: { ...json(pageAnswer), [EXPORT]: auditLineSchema } },
    from: 'query',
    input: readingInput,
    async act(permitted, { after, limit, upTo, ...filter }, call) {
      const whole = accepts(call, EXPORT);
      if (whole && (limit !== undefined || Object.keys(filter).length > 0)) throw exportTakesNoFilter();
      if (!whole && upTo !== undefined) throw pageTakesNoEnd();
      const audit = await openForReading(deps, permitted, call);
      return whole ? exported(audit, after, upTo) : page(audit, filter, after, limit);
    },
  });

/** GET /audit/head returns the head of the audit log, signed. A copy that is kept elsewhere reveals any later rewriting. */
export const auditHead = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readAudit',
    summary: 'Returns the head of the audit log, signed. Kept elsewhere, it shows any later rewriting.',
    answers: { 200: { 'application/jwt': 'A JWT that vouches for every line up to `head.seq`.' } },
    from: 'query',
    input: nothing,
    async act(permitted, _, call) {
      const audit = await openForReading(deps, permitted, call);
      return { status: 200, headers: { 'Content-Type': 'application/jwt' }, body: await audit.signedHead() };
    },
  });

/**
 * Returns the audit log for a permitted reader, after an entry about the reader. A log that takes no entries can still be read:
 * an outage is when people need it.
 */
export async function openForReading(
  { ledger, audit }: HttpDeps,
  { caller }: Permitted<'readAudit'>,
  { requestId, noted }: Call,
): Promise<AuditReader> {
  const at = ledger.clock.unchecked();
  const entered = audit.append({ type: 'audit.read', at, ...callerFields(caller), requestId });
  const [, caughtUp] = await Promise.allSettled([entered, audit.catchUp()]);
  if (caughtUp.status === 'rejected') noted.trouble = new Error('the audit log is behind', { cause: caughtUp.reason });
  return audit;
}

async function page(audit: AuditReader, filter: AuditFilter, after = 0, limit = 100): Promise<Answer> {
  const { lines, next } = await audit.page({ after, limit, filter });
  return ok(defined({ lines, next }));
}

function exported(audit: AuditReader, after: number | undefined, to: number | undefined): Answer {
  const lines = audit.exportLines(defined({ after, to }));
  return { status: 200, headers: { 'Content-Type': EXPORT }, body: withNewlines(lines) };
}

async function* withNewlines(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}

const exportTakesNoFilter = () =>
  new BrokerError(
    'invalid_request',
    `An export (${EXPORT}) is whole: it takes no filter and no limit, only after and upTo.`,
  );

const pageTakesNoEnd = () =>
  new BrokerError('invalid_request', `Only an export (Accept: ${EXPORT}) takes upTo; a page takes limit.`);
