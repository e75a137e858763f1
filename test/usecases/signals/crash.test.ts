/** A broker dies between two writes while it reacts, or two react at once: the reaction happens, once. */
import { describe, expect, it } from '@jest/globals';
import { signalsSchema } from '../../../src/config/signals-schema.js';
import { watchClock } from '../../../src/health/watched-clock.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import { readSignal } from '../../../src/ledger/signals.js';
import { acceptSignal } from '../../../src/signals/accept.js';
import { react, type ReactDeps } from '../../../src/signals/react.js';
import { createSignalQueue } from '../../../src/signals/signal-queue.js';
import type { Log, Records } from '../../../src/store/store.js';
import { wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';

const reactions = [{ name: 'hold', event: 'session-revoked', do: 'hold', covers: 'workload' }];
/** The limit is so low that a reaction which took from the budget twice would be stopped. */
const signals = signalsSchema.parse({ reactions, maxPartiesPerMinute: 1, dedupeSeconds: 60 });

async function setting(): Promise<{ whole: WholeBroker; id: string }> {
  const whole = await wholeBroker();
  whole.deps.settings = { ...whole.deps.settings, signals };
  await whole.exchange();
  return { whole, id: await acknowledged(whole, 'lab:siem') };
}

/** The signal is acknowledged, and then the broker dies: no broker has it queued. */
async function acknowledged(whole: WholeBroker, source: string): Promise<string> {
  const deps = { ...whole.deps, issuer: 'https://mayfly.example', onSignal: () => undefined };
  const { id } = await acceptSignal(deps, {
    ...{ source, about: ['lab'], itsId: '1', digest: 'x', event: 'session-revoked', level: 'HIGH' },
    subject: { format: 'iss_sub', iss: 'https://lab.example', sub: 'agent' },
    at: whole.clock.now(),
  });
  return id;
}

/** Another broker over the same store. */
function broker(
  { deps, store, clock }: WholeBroker,
  over: { records?: Records; log?: Log; audit?: ReactDeps['audit'] },
) {
  const { records = store.records, log = store.log, audit = deps.audit } = over;
  const ledger = { records, log: openRevocationLog(log), clock };
  return { ledger, audit, settings: { ...deps.settings, signals } } satisfies ReactDeps;
}

class Died extends Error {}

/** The broker dies at its write number `last`, which takes effect or not. */
function dying(whole: WholeBroker, last: number, isDone: boolean) {
  let writes = 0;
  const write = async <T>(work: () => Promise<T>): Promise<T> => {
    writes += 1;
    if (writes > last) throw new Died();
    if (writes < last) return work();
    if (isDone) await work();
    throw new Died();
  };
  const { records, log } = whole.store;
  return broker(whole, {
    records: { ...records, commit: (change) => write(() => records.commit(change)) },
    log: { ...log, publish: (entry) => write(() => log.publish(entry)) },
    audit: { append: (event) => write(() => whole.deps.audit.append(event)) },
  });
}

async function expectOnce(whole: WholeBroker, id: string): Promise<void> {
  const signal = (await readSignal(whole.deps.ledger, id))?.value;
  expect(signal).toMatchObject({ state: 'reacted', reaction: { rule: 'hold', tasks: 1, seq: expect.any(Number) } });
  expect(signal).not.toHaveProperty('unfinished');
  const events = await whole.audited();
  expect(events.filter(({ type }) => type === 'revocation.published')).toMatchObject([
    { revocation: { seq: signal?.reaction?.seq, selector: { value: 'lab:agent' } } },
  ]);
  expect(events.filter(({ type }) => type === 'signal.evaluated').length).toBeGreaterThanOrEqual(1);
}

describe('a broker that dies while it reacts', () => {
  const fates = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((last) => [
    { last, fate: 'before' },
    { last, fate: 'after' },
  ]);
  describe('leaves the rest to another, which does nothing twice', () => {
    it.each(fates)('when it dies $fate its write number $last', async (fate) => {
      const { whole, id } = await setting();
      await react(dying(whole, fate.last, fate.fate === 'after'), id).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Died);
      });
      await react(broker(whole, {}), id);
      await react(broker(whole, {}), id);
      await expectOnce(whole, id);
    });
  });

  it('again and again, further each time: it happens once all the same', async () => {
    const { whole, id } = await setting();
    for (let last = 1; last <= 8; last += 1)
      await react(dying(whole, last, true), id).catch((error: unknown) => expect(error).toBeInstanceOf(Died));
    await react(broker(whole, {}), id);
    await expectOnce(whole, id);
  });
});

it('a signal that was left behind is found, also by a broker whose clock was set back', async () => {
  const { whole, id } = await setting();
  const reading = whole.clock.now();
  const clock = watchClock(whole.clock, 5_000);
  clock.compare({ store: reading, agreed: reading });
  whole.clock.jump(-600_000);
  clock.compare({ store: whole.clock.now(), agreed: reading });
  whole.clock.advance(3_000);
  const other = broker(whole, {});
  const deps = { ...other, ledger: { ...other.ledger, clock } };
  const failed: unknown[] = [];
  await createSignalQueue(deps, { reacted: () => undefined, failed: (error) => failed.push(error) }).catchUp();
  expect(failed).toEqual([]);
  await expectOnce(whole, id);
});

it('brokers that look at one signal at once do it once, and say so once', async () => {
  const { whole, id } = await setting();
  await Promise.all(Array.from({ length: 6 }, () => react(broker(whole, {}), id)));
  await react(broker(whole, {}), id);
  await expectOnce(whole, id);
  expect((await whole.audited()).filter(({ type }) => type === 'signal.evaluated').length).toBe(1);
});

it('two sources that report one subject at once have it held once', async () => {
  const { whole, id } = await setting();
  const ids = [id, await acknowledged(whole, 'edr')];
  await Promise.all([...ids, ...ids].map((one) => react(broker(whole, {}), one)));
  for (const one of ids) await react(broker(whole, {}), one);
  const events = await whole.audited();
  expect(events.filter(({ type }) => type === 'revocation.published')).toHaveLength(1);
  const states = events.flatMap(({ signal }) => signal?.state ?? []);
  expect(new Set(states)).toEqual(new Set(['reacted', 'recorded']));
});

it('what was decided is done though the rule has left the configuration meanwhile', async () => {
  const { whole, id } = await setting();
  await react(dying(whole, 3, true), id).catch(() => undefined);
  expect((await readSignal(whole.deps.ledger, id))?.value).toMatchObject({ state: 'reacted', unfinished: true });
  const without = broker(whole, {});
  await react({ ...without, settings: { ...without.settings, signals: signalsSchema.parse({}) } }, id);
  await expectOnce(whole, id);
});

it('an audit log that takes nothing keeps no reaction away, and has its entry when it does', async () => {
  const { whole, id } = await setting();
  const audit = { append: () => Promise.reject(new Error('full')) };
  await expect(react(broker(whole, { audit }), id)).rejects.toThrow('full');
  expect((await whole.audited()).map(({ type }) => type)).toContain('revocation.published');
  await react(broker(whole, {}), id);
  await expectOnce(whole, id);
});
