/** GET /signals: what was told, by whom, of whom, and what became of it; oldest first, in pages. */
import { defined } from '../../domain/defined.js';
import { z } from 'zod';
import { SIGNAL_STATES } from '../../domain/signal.js';
import type { AuthenticatedCaller } from '../../identity/proof.js';
import { showSignals, type SignalPlace, type SignalsWanted } from '../../signals/list.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { operation } from '../operation.js';
import { printable, wholeNumber } from '../text.js';
import { place, placeText } from './place.js';
import { signalOnWire } from './signal-on-wire.js';

const page = { after: place.exactOptional(), limit: wholeNumber(1, 500).default(100) };

export const signalList = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input: z.strictObject({
      subject: printable(2048).exactOptional(),
      state: z.enum(SIGNAL_STATES).exactOptional(),
      source: printable(2048).exactOptional(),
      ...page,
    }),
    act: async (caller, { after, limit, ...wanted }, { requestId }) =>
      answer(deps, caller, wanted, defined({ after, limit, requestId })),
  });

/** GET /signals/pending: what waits for a person to confirm or dismiss it. */
export const pendingSignals = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input: z.strictObject(page),
    act: async (caller, { after, limit }, { requestId }) =>
      answer(deps, caller, { state: 'pending' }, defined({ after, limit, requestId })),
  });

async function answer(
  deps: HttpDeps,
  caller: AuthenticatedCaller,
  wanted: SignalsWanted,
  asked: { after?: SignalPlace; limit: number; requestId: string },
) {
  const { signals, next } = await showSignals(deps, caller, wanted, asked);
  return ok(defined({ signals: signals.map(signalOnWire), next: next && placeText(next) }));
}
