/** A confirmed reaction is carried out in the name of the person who confirmed it, whatever happens to the broker that took the decision. */
import { expect, it } from '@jest/globals';
import type { AuditEvent } from '../../../src/audit/event.js';
import { signalSchema, type Signal } from '../../../src/domain/signal.js';
import { putSignal, readSignal, takeSignal } from '../../../src/ledger/signals.js';
import { decideSignal as decide, permitDecision } from '../../../src/signals/confirm.js';
import { react } from '../../../src/signals/react.js';
import { OPERATOR, wholeBroker } from '../../support/brokers/use-cases.js';
import { decideSignal } from '../../support/verbs.js';

const ID = 'sig_aaaaaaaaaaaaaaaa';
const selector = { kind: 'workload', value: 'lab:agent' } as const;

const pending = (at: number): Signal =>
  signalSchema.parse({
    ...{ id: ID, source: 'idp', digest: 'x', event: 'session-revoked', level: 'HIGH', about: [selector] },
    ...{ at, receivedAt: at, state: 'pending', revision: 0 },
    reaction: { rule: 'stop', do: 'hold', selector, tasks: 9, because: 'It would hit too many.' },
  });

it.each(['confirm', 'dismiss'] as const)(
  'a broker that dies after it has written down the %s: another finishes it',
  async (verdict) => {
    const broker = await wholeBroker();
    const { deps, clock, operator } = broker;
    await putSignal(deps.ledger, pending(clock.now()));
    const dying = { ...deps, audit: { ...deps.audit, append: () => Promise.reject(new Error('it died')) } };
    await expect(decideSignal(dying, operator, { signalId: ID, verdict, requestId: 'r' })).rejects.toThrow('it died');
    expect((await readSignal(deps.ledger, ID))?.value).toMatchObject({ unfinished: true, decided: { by: OPERATOR } });

    await react(deps, ID);
    await react(deps, ID);
    const { state, unfinished } = (await readSignal(deps.ledger, ID))?.value ?? {};
    expect([state, unfinished]).toEqual([verdict === 'confirm' ? 'reacted' : 'dismissed', undefined]);
    const events = await broker.audited();
    expect(events.filter(({ type }) => type === 'signal.decided')).toMatchObject([{ actor: { id: OPERATOR } }]);
    const published = events.filter(({ type }) => type === 'revocation.published');
    if (verdict === 'dismiss') expect([published, (await broker.exchange()).minted]).toMatchObject([[], {}]);
    else {
      expect(published).toMatchObject([{ actor: { id: OPERATOR }, revocation: { effect: 'hold', selector } }]);
      await expect(broker.exchange()).rejects.toMatchObject({ details: { retry: 'after-lift' } });
    }
  },
);

it('what is confirmed while its judging is still being written down is done all the same', async () => {
  const { deps, clock, operator } = await wholeBroker();
  await putSignal(deps.ledger, { ...pending(clock.now()), unfinished: true });
  let confirmed: Promise<unknown> | undefined;
  const append = async (event: AuditEvent) => {
    // The other broker has read the signal as pending, and writes that after it was confirmed.
    const dying = { ...deps, audit: { ...deps.audit, append: () => Promise.reject(new Error('it died')) } };
    confirmed ??= decideSignal(dying, operator, { signalId: ID, verdict: 'confirm', requestId: 'r' });
    await confirmed.catch(() => undefined);
    await deps.audit.append(event);
  };
  await react({ ...deps, audit: { ...deps.audit, append } }, ID);
  await react(deps, ID);
  expect((await readSignal(deps.ledger, ID))?.value).toMatchObject({ state: 'reacted', reaction: { seq: 1 } });
});

it.each(['confirm', 'dismiss'] as const)(
  'a permission that was asked for before the signal had its reaction does not %s that reaction',
  async (verdict) => {
    const broker = await wholeBroker();
    const { deps, clock, operator } = broker;
    const { reaction, ...signal } = pending(clock.now());
    await putSignal(deps.ledger, { ...signal, state: 'accepted' });
    const permitted = await permitDecision(deps, operator, ID);
    await takeSignal(deps.ledger, { id: ID, from: 'accepted' }, () => ({
      state: 'pending',
      ...(reaction && { reaction }),
    }));
    await expect(decide(deps, permitted, { verdict })).rejects.toMatchObject({ code: 'conflict' });
    expect((await readSignal(deps.ledger, ID))?.value.state).toBe('pending');
    expect((await broker.audited()).filter(({ type }) => type === 'revocation.published')).toEqual([]);
  },
);
