/** POST /revocations: end, cut off or hold whatever hangs on a selector; with `dryRun`, see what it would hit. */
import { defined } from '../../domain/defined.js';
import { z } from 'zod';
import { EFFECTS, SELECTOR_KINDS, type Selector } from '../../domain/selector.js';
import { HARD_LIMITS } from '../../domain/limits.js';
import { BrokerError } from '../../domain/errors.js';
import { withEffects } from '../../revocation/effects.js';
import { previewRevocation, revokeBySelector } from '../../revocation/revoke-by-selector.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { operation } from '../operation.js';
import { printable, timestamp } from '../text.js';
import { previewOnWire, receiptOnWire } from './receipt-on-wire.js';

const input = z.strictObject({
  selector: z
    .strictObject({ kind: z.enum(SELECTOR_KINDS), value: printable(2048).exactOptional() })
    .transform(({ kind, value = '' }): Selector => ({ kind, value }))
    .exactOptional(),
  /** Instead of a selector: the found string itself. Bounded like any token; never logged. */
  leaked: z.string().min(1).max(HARD_LIMITS.subjectTokenBytes).exactOptional(),
  effect: z.enum(EFFECTS).exactOptional(),
  reason: printable(512),
  ticket: printable(128).exactOptional(),
  until: timestamp.exactOptional(),
  dryRun: z.boolean().default(false),
});

export const revocation = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'revoke',
    from: 'body',
    input,
    async act(caller, { dryRun, selector, leaked, until, ...told }, call) {
      const what = oneOf(selector, leaked);
      const request = defined({ what, ...told, liftAt: until, requestId: call.requestId });
      if (dryRun) return ok(previewOnWire(await previewRevocation(deps, caller, request)));
      const receipt = await revokeBySelector(deps, caller, request);
      const headers = { Location: `${deps.issuer}/revocations/${receipt.seq}` };
      return { status: 200, headers, body: receiptOnWire(await withEffects(deps.ledger, receipt)) };
    },
  });

function oneOf(selector: Selector | undefined, leaked: string | undefined): Selector | { leaked: string } {
  if (selector && leaked === undefined) return selector;
  if (!selector && leaked !== undefined) return { leaked };
  throw new BrokerError('invalid_request', 'Name a selector, or the string that leaked: exactly one of them.');
}
