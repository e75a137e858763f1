/**
 * GET /audit: the exact lines, by filter and page, or all of them as x-ndjson. For `mayfly verify-audit`: fetch the head first,
 * then export up to the line it names, for whatever was written since is not what it vouches for.
 */
import { defined } from '../../domain/defined.js';
import { z } from 'zod';
import type { AuditFilter } from '../../audit/page.js';
import { provenFields } from '../../authorization/audit-fields.js';
import { permitOnBroker } from '../../authorization/permit.js';
import { BrokerError } from '../../domain/errors.js';
import type { AuthenticatedCaller } from '../../identity/proof.js';
import type { HttpDeps } from '../deps.js';
import { ok, type Answer, type Call } from '../endpoint.js';
import { operation } from '../operation.js';
import { printable, timestamp, wholeNumber } from '../text.js';

const EXPORT = 'application/x-ndjson';

const filter = {
  task: printable(64).exactOptional(),
  workload: printable(2048).exactOptional(),
  credential: printable(64).exactOptional(),
  decision: printable(64).exactOptional(),
  type: printable(64).exactOptional(),
  from: timestamp.exactOptional(),
  to: timestamp.exactOptional(),
};

const input = z.strictObject({
  ...filter,
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).exactOptional(),
  limit: wholeNumber(1, 1_000).exactOptional(),
  /** The number of the last line wanted; with an export only. */
  upTo: wholeNumber(0, Number.MAX_SAFE_INTEGER).exactOptional(),
});

export const auditReading = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'readAudit',
    from: 'query',
    input,
    async act(caller, { after, limit, upTo, ...wanted }, call) {
      const whole = acceptsExport(call);
      if (whole && (limit !== undefined || Object.keys(wanted).length > 0)) throw exportIsWhole();
      if (!whole && upTo !== undefined) throw pagesGoOn();
      await permitReading(deps, caller, call);
      return whole ? exported(deps, after, upTo) : page(deps, wanted, after, limit);
    },
  });

/** Who read it is in it. A log that cannot be written to can still be read: that is when it is needed. */
export async function permitReading(
  deps: HttpDeps,
  caller: AuthenticatedCaller,
  { requestId, log }: Call,
): Promise<void> {
  await permitOnBroker(deps, caller, 'readAudit', { requestId });
  const at = deps.ledger.clock.now();
  const noted = deps.audit.append({ type: 'audit.read', at, ...provenFields(caller), requestId });
  const [, caughtUp] = await Promise.allSettled([noted, deps.audit.catchUp()]);
  if (caughtUp.status === 'rejected') log.warn({ err: caughtUp.reason as unknown }, 'the audit log is behind');
}

async function page(deps: HttpDeps, wanted: AuditFilter, after = 0, limit = 100): Promise<Answer> {
  const { lines, next } = await deps.audit.page({ after, limit, filter: wanted });
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

const exportIsWhole = () =>
  new BrokerError(
    'invalid_request',
    `An export (${EXPORT}) is whole: it takes no filter and no limit, only after and upTo.`,
  );

const pagesGoOn = () =>
  new BrokerError('invalid_request', `Only an export (Accept: ${EXPORT}) takes upTo; a page takes limit.`);
