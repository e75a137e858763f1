/** DELETE /revocations/{seq}: lifts a hold. What it has killed stays dead. */
import { z } from 'zod';
import { withEffects } from '../../revocation/effects.js';
import { liftHold } from '../../revocation/receipts.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { operation } from '../operation.js';
import { printable } from '../text.js';
import { seqOf } from './path.js';
import { receiptOnWire } from './receipt-on-wire.js';

const input = z.strictObject({ reason: printable(512).exactOptional() });

export const holdLifting = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'revoke',
    from: 'query',
    input,
    async act(caller, asked, call) {
      const receipt = await liftHold(deps, caller, { ...asked, seq: seqOf(call), requestId: call.requestId });
      return ok(receiptOnWire(await withEffects(deps.ledger, receipt)));
    },
  });
