/** POST /signals/{id}/confirm and /dismiss: a person has the last word on what would hit too much at once. */
import { z } from 'zod';
import { decideSignal } from '../../signals/confirm.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { operation } from '../operation.js';
import { printable } from '../text.js';
import { signalOnWire } from './signal-on-wire.js';

const input = z.strictObject({ reason: printable(512).exactOptional() });

export const signalDeciding = (deps: HttpDeps, verdict: 'confirm' | 'dismiss') =>
  operation(deps, {
    verb: 'revoke',
    from: 'body',
    input,
    act: async (caller, asked, { params, requestId }) =>
      ok(
        signalOnWire(await decideSignal(deps, caller, { ...asked, signalId: params['id'] ?? '', verdict, requestId })),
      ),
  });
