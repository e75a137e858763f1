/**
 * The endpoints of the audit log: exact lines, and the signed head. An offline check (`mayfly verify-audit`) fetches the head
 * first and then exports up to the line that the head names, because the head does not vouch for later lines.
 */
import { z } from 'zod';
import type { AuditFilter } from '../audit/page.js';
import { callerFields } from '../authorization/audit-fields.js';
import type { Permitted } from '../authorization/permit.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import type { HttpDeps } from './deps.js';
import { ok, type Answer, type Call } from './wire/endpoint.js';
import { printable, timestamp, wholeNumber } from './wire/fields.js';
import { brokerOperation, nothing } from './wire/operation.js';

const EXPORT = 'application/x-ndjson';

/** GET /audit returns lines by filter, in pages; or, with `Accept: application/x-ndjson`, all lines. */
export const auditReading = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readAudit',
    from: 'query',
    input: z.strictObject({
      task: printable(64).exactOptional(),
      workload: printable(2048).exactOptional(),
      credential: printable(64).exactOptional(),
      decision: printable(64).exactOptional(),
      type: printable(64).exactOptional(),
      from: timestamp.exactOptional(),
      to: timestamp.exactOptional(),
      after: wholeNumber(0, Number.MAX_SAFE_INTEGER).exactOptional(),
      limit: wholeNumber(1, 1_000).exactOptional(),
      /** With an export only: the number of its last line. */
      upTo: wholeNumber(0, Number.MAX_SAFE_INTEGER).exactOptional(),
    }),
    async act(caller, { after, limit, upTo, ...filter }, call) {
      const whole = acceptsExport(call);
      if (whole && (limit !== undefined || Object.keys(filter).length > 0)) throw exportTakesNoFilter();
      if (!whole && upTo !== undefined) throw pageTakesNoEnd();
      await auditReader(deps, caller, call);
      return whole ? exported(deps, after, upTo) : page(deps, filter, after, limit);
    },
  });

/** GET /audit/head returns the head of the audit log, signed. A copy that is kept elsewhere reveals any later rewriting. */
export const auditHead = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readAudit',
    from: 'query',
    input: nothing,
    async act(caller, _, call) {
      await auditReader(deps, caller, call);
      return { status: 200, headers: { 'Content-Type': 'application/jwt' }, body: await deps.audit.signedHead() };
    },
  });

/** Appends an entry about the reader. A log that takes no entries can still be read: an outage is when people need it. */
export async function auditReader(
  deps: HttpDeps,
  caller: Permitted<'readAudit'>,
  { requestId, log }: Call,
): Promise<void> {
  const at = deps.ledger.clock.now();
  const noted = deps.audit.append({ type: 'audit.read', at, ...callerFields(caller), requestId });
  const [, caughtUp] = await Promise.allSettled([noted, deps.audit.catchUp()]);
  if (caughtUp.status === 'rejected') log.warn({ err: caughtUp.reason as unknown }, 'the audit log is behind');
}

async function page(deps: HttpDeps, filter: AuditFilter, after = 0, limit = 100): Promise<Answer> {
  const { lines, next } = await deps.audit.page({ after, limit, filter });
  return ok(defined({ lines, next }));
}

function exported({ audit }: HttpDeps, after: number | undefined, to: number | undefined): Answer {
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
