/** A confirmed reaction is carried out in the name of the person who confirmed it, whatever happens to the broker that took the decision. */
import { describe, expect, it } from '@jest/globals';
import type { AuditEvent } from '../../../src/audit/event.js';
import type { AuditLog } from '../../../src/audit/log.js';
import { permitOnBroker } from '../../../src/authorization/permit-on-broker.js';
import { signalId, signalSchema, type Signal } from '../../../src/domain/signal.js';
import { listSignals, putSignal, readSignal, takeSignal } from '../../../src/ledger/signals.js';
import { decideSignal as decide, permitDecision } from '../../../src/signals/confirm.js';
import { dismissAll } from '../../../src/signals/dismiss-all.js';
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

describe('dismissing all that a filter finds', () => {
  async function flooded(signals: number) {
    const { deps, clock, operator } = await wholeBroker();
    const ids = Array.from({ length: signals }, (_, place) => signalId('idp', String(place)));
    await Promise.all(ids.map((id, place) => putSignal(deps.ledger, { ...pending(clock.now() + place), id })));
    clock.advance(signals);
    const permitted = await permitOnBroker(deps, operator, 'readRevocations');
    const dismiss = (more: Partial<Parameters<typeof dismissAll>[2]> = {}, audit = deps.audit) =>
      dismissAll({ ...deps, audit }, permitted, { filter: { reaction: 'stop' }, requestId: 'r', ...more });
    const left = async () => (await listSignals(deps.ledger, 'pending', { limit: 1_000 })).length;
    return { dismiss, left };
  }

  it('looks at so many at once, and goes on where it stopped', async () => {
    const { dismiss, left } = await flooded(520);
    const first = await dismiss();
    expect([first, await left()]).toEqual([{ dismissed: 500, refused: 0, next: expect.any(Array) }, 20]);
    expect(await dismiss(first.next ? { after: first.next } : {})).toEqual({ dismissed: 20, refused: 0 });
    expect(await left()).toBe(0);
  });

  it('dismisses nothing that the audit log does not take', async () => {
    const { dismiss, left } = await flooded(3);
    const full = { append: () => Promise.reject(new Error('it is full')) };
    await expect(dismiss({}, full as unknown as AuditLog)).rejects.toThrow('it is full');
    expect(await left()).toBe(3);
  });
});
