/** GET /audit/head: where the audit log stands, signed. Kept elsewhere, it shows any later rewriting. */
import type { HttpDeps } from '../deps.js';
import { nothing, operation } from '../operation.js';
import { permitReading } from './read.js';

export const auditHead = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'readAudit',
    from: 'query',
    input: nothing,
    async act(caller, _, call) {
      await permitReading(deps, caller, call);
      return { status: 200, headers: { 'Content-Type': 'application/jwt' }, body: await deps.audit.signedHead() };
    },
  });
