/** GET /revocations/{seq}: one receipt as it stands now. */
import { withEffects } from '../../revocation/effects.js';
import { showReceipt } from '../../revocation/receipts.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { nothing, operation } from '../operation.js';
import { seqOf } from './path.js';
import { receiptOnWire } from './receipt-on-wire.js';

export const revocationReceipt = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input: nothing,
    async act(caller, _, call) {
      const receipt = await showReceipt(deps, caller, { seq: seqOf(call), requestId: call.requestId });
      return ok(receiptOnWire(await withEffects(deps.ledger, receipt)));
    },
  });
