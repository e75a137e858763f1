/** A signal that waited in vain, as its record says afterwards. */
import { expect, it } from '@jest/globals';
import { signalId } from '../../../src/domain/signal.js';
import { putSignal, readSignal, takeSignal } from '../../../src/ledger/signals.js';
import { expirePendingSignals } from '../../../src/signals/react.js';
import { wholeBroker } from '../../support/brokers/use-cases.js';

it('is recorded, and its record does not say any more until when it waits', async () => {
  const { deps, clock } = await wholeBroker();
  const id = signalId('idp', '1');
  const receivedAt = clock.now();
  const event = { source: 'idp', digest: 'd', event: 'session-revoked', level: 'HIGH', about: [] } as const;
  await putSignal(deps.ledger, { id, ...event, about: [], at: receivedAt, receivedAt, state: 'accepted', revision: 0 });
  await takeSignal(deps.ledger, { id, from: 'accepted' }, () => ({ state: 'waiting', waitsUntil: receivedAt + 1_000 }));
  clock.advance(5_000);
  await expirePendingSignals(deps);
  const { state, waitsUntil, unfinished } = (await readSignal(deps.ledger, id))?.value ?? {};
  expect({ state, waitsUntil, unfinished }).toEqual({
    state: 'recorded',
    waitsUntil: undefined,
    unfinished: undefined,
  });
});
