/**
 * The endpoints of the audit log: exact lines, and the signed head. An offline check (`mayfly verify-audit`) fetches the head
 * first and then exports up to the line that the head names, because the head does not vouch for later lines.
 */
import { z } from 'zod';
import type { AuditLog } from '../audit/log.js';
import type { AuditFilter } from '../audit/page.js';
import { callerFields } from '../authorization/audit.js';
import type { Permitted } from '../authorization/permit.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { nameSchema } from '../domain/schemas.js';
import { ok, type Answer, type Call } from './wire/endpoint.js';
import { printable, timestamp, wholeNumber } from './wire/fields.js';
import { brokerOperation, nothing } from './wire/operation.js';
import type { HttpDeps } from './deps.js';

type AuditReader = Pick<AuditLog, 'page' | 'exportLines' | 'signedHead'>;

const EXPORT = 'application/x-ndjson';

/** GET /audit returns lines by filter, in pages; or, with `Accept: application/x-ndjson`, all lines. */
export const auditReading = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readAudit',
    from: 'query',
    input: z.strictObject({
      task: printable(64).exactOptional(),
      workload: nameSchema().exactOptional(),
      credential: printable(64).exactOptional(),
      decision: printable(64).exactOptional(),
      type: printable(64).exactOptional(),
      requestId: printable(64).exactOptional(),
      from: timestamp.exactOptional(),
      to: timestamp.exactOptional(),
      after: wholeNumber(0, Number.MAX_SAFE_INTEGER).exactOptional(),
      limit: wholeNumber(1, 1_000).exactOptional(),
      /** With an export only: the number of its last line. */
      upTo: wholeNumber(0, Number.MAX_SAFE_INTEGER).exactOptional(),
    }),
    async act(permitted, { after, limit, upTo, ...filter }, call) {
      const whole = acceptsExport(call);
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

const acceptsExport = ({ headers }: Call): boolean =>
  (headers.accept ?? '').split(',').some((type) => type.split(';', 1)[0]?.trim().toLowerCase() === EXPORT);

const exportTakesNoFilter = () =>
  new BrokerError(
    'invalid_request',
    `An export (${EXPORT}) is whole: it takes no filter and no limit, only after and upTo.`,
  );

const pageTakesNoEnd = () =>
  new BrokerError('invalid_request', `Only an export (Accept: ${EXPORT}) takes upTo; a page takes limit.`);
