/** GET /revocations: receipts as they stand now, oldest first, in pages. */
import { defined } from '../../domain/defined.js';
import { z } from 'zod';
import { allWithEffects } from '../../revocation/effects.js';
import { showReceipts } from '../../revocation/receipts.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { operation } from '../operation.js';
import { wholeNumber } from '../text.js';
import { receiptOnWire } from './receipt-on-wire.js';

const input = z.strictObject({
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  limit: wholeNumber(1, 1_000).default(100),
});

export const revocationList = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input,
    async act(caller, page, { requestId }) {
      const receipts = await showReceipts(deps, caller, { ...page, requestId });
      const next = receipts.length === page.limit ? receipts.at(-1)?.seq : undefined;
      return ok(
        defined({
          revocations: (await allWithEffects(deps.ledger, receipts)).map(receiptOnWire),
          next,
        }),
      );
    },
  });
