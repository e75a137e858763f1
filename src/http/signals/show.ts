/** GET /signals/{id}: one signal as it stands now. */
import { showSignal } from '../../signals/list.js';
import type { HttpDeps } from '../deps.js';
import { ok } from '../endpoint.js';
import { nothing, operation } from '../operation.js';
import { signalOnWire } from './signal-on-wire.js';

export const signalReading = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'readRevocations',
    from: 'query',
    input: nothing,
    act: async (caller, _, { params, requestId }) =>
      ok(signalOnWire(await showSignal(deps, caller, { signalId: params['id'] ?? '', requestId }))),
  });
