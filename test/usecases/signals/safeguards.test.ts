/** The safeguards of reactions: observing only, a second source, a person where too many tasks would be hit, and no repetition. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { takeFromBudget } from '../../../src/ledger/reaction-budget.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import { audited, isActive, evaluated, minted, startSignalBroker } from '../../support/brokers/signals.js';
import { handClock, type HandClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';
import { until } from '../../support/until.js';
import { workload } from '../../support/issuers/transmitter.js';

const HOLD = { name: 'hold', event: 'session-revoked', do: 'hold', covers: 'workload' };
const AGENT_7 = workload('agent-7');
const published = async (setting: { broker: Parameters<typeof audited>[0] }) =>
  (await audited(setting.broker, 'revocation.published')).length;

it('a reaction that observes says what it would have done, and to how many, and does nothing', async () => {
  const setting = await startSignalBroker({ reactions: [{ ...HOLD, observe: true }] });
  const own = await minted(setting.broker, 'agent-7');
  await setting.say(setting.idp, AGENT_7);
  expect(await evaluated(setting.broker, 1)).toMatchObject([
    { state: 'observed', reaction: { rule: 'hold', do: 'hold', selector: { value: 'lab:agent-7' }, tasks: 1 } },
  ]);
  expect([await isActive(setting.broker, own), await published(setting)]).toEqual([true, 0]);
});

describe('a reaction that wants two sources', () => {
  const start = () => startSignalBroker({ reactions: [{ ...HOLD, corroborate: { sources: 2, withinSeconds: 600 } }] });

  it('waits for the second, and then acts', async () => {
    const setting = await start();
    await setting.say(setting.idp, AGENT_7);
    expect(await evaluated(setting.broker, 1)).toMatchObject([
      { state: 'waiting', reaction: { because: '1 of 2 sources have reported it.' } },
    ]);
    await setting.broker.advance(599_000);
    await setting.say(setting.edr, AGENT_7);
    expect((await evaluated(setting.broker, 2)).map(({ state }) => state)).toEqual(['waiting', 'reacted']);
    expect(await published(setting)).toBe(1);
  });

  it('does it once: more reports are a repetition, and after the hold is lifted all sources must report again', async () => {
    const setting = await start();
    const states = async (count: number) => (await evaluated(setting.broker, count)).map(({ state }) => state);
    for (const [index, from] of [setting.idp, setting.edr, setting.idp].entries()) {
      await setting.say(from, AGENT_7);
      await states(index + 1);
      await setting.broker.advance(1_000);
    }
    expect(await states(3)).toEqual(['waiting', 'reacted', 'recorded']);
    const soc = await setting.broker.identity('soc');
    const { reaction } = (await evaluated(setting.broker, 3))[1] ?? {};
    await setting.broker.remove(`/revocations/${reaction?.seq ?? 0}`, soc);
    await setting.broker.advance(120_000);
    await setting.say(setting.edr, AGENT_7);
    expect((await states(4)).at(-1)).toBe('waiting');
    await setting.say(setting.idp, AGENT_7);
    expect((await states(5)).at(-1)).toBe('reacted');
  });

  it('is not kept waiting by a clock that was ahead', async () => {
    const setting = await start();
    setting.broker.clock.jump(3_600_000);
    for (const from of [setting.idp, setting.edr]) await setting.say(from, AGENT_7);
    await countedAs('reacted', setting.broker);
    setting.broker.clock.jump(-3_600_000);
    await setting.broker.advance(1_000);
    expect((await evaluated(setting.broker, 2)).map(({ state }) => state)).toEqual(['waiting', 'reacted']);
    const soc = await setting.broker.identity('soc');
    await setting.broker.remove(`/revocations/${(await evaluated(setting.broker, 2))[1]?.reaction?.seq ?? 0}`, soc);
    for (const from of [setting.idp, setting.edr]) await setting.say(from, AGENT_7);
    const after = (await evaluated(setting.broker, 4)).map(({ state }) => state);
    expect(after.filter((state) => state === 'reacted')).toHaveLength(2);
  });

  it('takes one source for one, however often it speaks', async () => {
    const setting = await start();
    for (let times = 1; times <= 5; times += 1) {
      await setting.say(setting.idp, AGENT_7);
      expect((await evaluated(setting.broker, times)).at(-1)).toMatchObject({ state: 'waiting' });
    }
    expect(await published(setting)).toBe(0);
  });

  it('wants them to speak of the same subject', async () => {
    const setting = await start();
    await setting.say(setting.idp, AGENT_7);
    await setting.say(setting.edr, workload('agent-8'));
    expect((await evaluated(setting.broker, 2)).map(({ state }) => state)).toEqual(['waiting', 'waiting']);
  });

  it('does not wait for ever: in the end the first report is recorded only, and counts no more', async () => {
    const setting = await start();
    await setting.say(setting.idp, AGENT_7);
    await evaluated(setting.broker, 1);
    await setting.broker.advance(600_000);
    await setting.broker.work('forget');
    expect((await evaluated(setting.broker, 2)).map(({ state }) => state)).toEqual(['waiting', 'recorded']);
    await setting.say(setting.edr, AGENT_7);
    expect((await evaluated(setting.broker, 3)).at(-1)).toMatchObject({ state: 'waiting' });
  });
});

describe('more parties in a minute than one source may hit', () => {
  const states = async (broker: Parameters<typeof evaluated>[0], count: number) =>
    (await evaluated(broker, count)).map(({ state, reaction }) => [state, reaction?.tasks]);

  it('wait for a person: nothing dies, and a minute later it is free again, not before', async () => {
    const setting = await startSignalBroker({ reactions: [HOLD], maxPartiesPerMinute: 1 });
    const { broker } = setting;
    for (const sub of ['agent-1', 'agent-1', 'agent-2', 'agent-2']) await minted(broker, sub);
    await broker.advance(59_900); // The next calendar minute begins between the two reports.
    await setting.say(setting.idp, workload('agent-1'));
    await evaluated(broker, 1);
    await broker.advance(59_999);
    await setting.say(setting.idp, workload('agent-2'));
    expect(await states(broker, 2)).toEqual([
      ['reacted', 2],
      ['pending', 2],
    ]);
    expect((await broker.exchange(await broker.identity('agent-2'))).status).toBe(200);
    await broker.advance(60_001);
    await setting.say(setting.idp, workload('agent-2'));
    expect((await states(broker, 3)).at(-1)).toEqual(['reacted', 3]);
  });

  it('never die of one signal, whatever the minute', async () => {
    const setting = await startSignalBroker({ reactions: [{ ...HOLD, covers: 'issuer' }], maxPartiesPerMinute: 1 });
    const two = [await minted(setting.broker, 'agent-1'), await minted(setting.broker, 'agent-2')];
    await setting.say(setting.idp, workload('somebody'));
    expect(await states(setting.broker, 1)).toEqual([['pending', 2]]);
    expect(await Promise.all(two.map((one) => isActive(setting.broker, one)))).toEqual([true, true]);
  });

  it('count those who have no task, too: names made up by the hundred are held back', async () => {
    const setting = await startSignalBroker({ reactions: [HOLD], maxPartiesPerMinute: 1 });
    for (const [index, sub] of ['made-up-1', 'made-up-2'].entries()) {
      await setting.say(setting.idp, workload(sub));
      await evaluated(setting.broker, index + 1);
    }
    expect(await states(setting.broker, 2)).toEqual([
      ['reacted', 0],
      ['pending', 0],
    ]);
  });

  it('ask a person once a moment, however often they are reported', async () => {
    const setting = await startSignalBroker({ reactions: [HOLD], maxPartiesPerMinute: 0 });
    for (const count of [1, 2]) {
      await setting.say(setting.idp, AGENT_7);
      await evaluated(setting.broker, count);
    }
    await setting.broker.advance(60_000);
    await setting.say(setting.idp, AGENT_7);
    expect((await states(setting.broker, 3)).map(([state]) => state)).toEqual(['pending', 'recorded', 'pending']);
  });
});

describe('a budget', () => {
  /** Takes hits out of one budget as time passes; returns which were let through, and when. */
  async function hits(steps: readonly { of: number; afterMs: number }[], most: number) {
    const clock = handClock();
    const ledger = ledgerOn(clock);
    const budget = { reaction: 'hold', origin: 'edr', issuer: 'lab' };
    const through: { of: number; at: number }[] = [];
    for (const { of, afterMs } of steps) {
      clock.advance(afterMs);
      const fits = await takeFromBudget(ledger, budget, { of: `lab:${of}`, parties: 1 }, most);
      if (fits) through.push({ of, at: clock.now() });
    }
    return through;
  }

  it('lets no more parties through in any sixty seconds than it has', async () => {
    const step = fc.record({ of: fc.nat(9), afterMs: fc.oneof(fc.nat(9_000), fc.constantFrom(0, 1, 59_999, 60_000)) });
    const most = 3;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const through = await hits(steps, most);
        for (const { at: end } of through) {
          const within = through.filter(({ at }) => at <= end && at > end - 60_000);
          expect(new Set(within.map(({ of }) => of)).size).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  it('is all there again a minute after the last hit', async () => {
    const steps = [1, 2, 3, 4, 5, 6].map((of) => ({ of, afterMs: of === 4 ? 60_000 : 0 }));
    expect((await hits(steps, 3)).map(({ of }) => of)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('is taken from once by those who are hit again, and by brokers that evaluate at once', async () => {
    const ledger = ledgerOn(handClock());
    const budget = { reaction: 'hold', origin: 'edr', issuer: 'lab' };
    const take = (of: string) => takeFromBudget(ledger, budget, { of, parties: 1 }, 2);
    expect(await Promise.all(['a', 'a', 'a', 'a'].map(take))).toEqual([true, true, true, true]);
    expect((await Promise.all(['b', 'c', 'd', 'e'].map(take))).filter(Boolean)).toHaveLength(1);
  });
});

describe('the same reaction to the same subject', () => {
  it('is not repeated within a moment, whoever says so', async () => {
    const setting = await startSignalBroker({ reactions: [{ ...HOLD, do: 'cutoff' }], dedupeSeconds: 60 });
    await setting.say(setting.idp, AGENT_7);
    await evaluated(setting.broker, 1);
    await setting.say(setting.edr, AGENT_7);
    expect((await evaluated(setting.broker, 2)).at(-1)).toMatchObject({
      state: 'recorded',
      reaction: { rule: 'hold', because: expect.stringContaining('a moment ago') },
    });
    await setting.broker.advance(60_000);
    await setting.say(setting.edr, AGENT_7);
    expect((await evaluated(setting.broker, 3)).at(-1)).toMatchObject({ state: 'reacted' });
    expect(await published(setting)).toBe(2);
  });

  it('does not stack holds: one lift ends it, however many have asked for it, and however late', async () => {
    const setting = await startSignalBroker({ reactions: [HOLD], dedupeSeconds: 0 });
    const { broker } = setting;
    await setting.say(setting.idp, AGENT_7);
    const seq = (await evaluated(broker, 1))[0]?.reaction?.seq;
    await broker.advance(7_200_000);
    await setting.say(setting.edr, AGENT_7);
    expect((await evaluated(broker, 2)).at(-1)).toMatchObject({
      state: 'recorded',
      reaction: { because: `Revocation ${seq} of this reaction holds it already.` },
    });
    expect((await broker.remove(`/revocations/${seq}`, await broker.identity('soc'))).status).toBe(200);
    expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(200);
    await setting.say(setting.edr, AGENT_7);
    expect((await evaluated(broker, 3)).at(-1)).toMatchObject({ state: 'reacted' });
  });

  it('does not take the hold of an operator for its own', async () => {
    const setting = await startSignalBroker({ reactions: [HOLD] });
    const { broker } = setting;
    const order = { selector: { kind: 'workload', value: 'lab:agent-7' }, reason: 'maintenance', unseen: true };
    await broker.post('/revocations', order, await broker.identity('soc'));
    await setting.say(setting.idp, AGENT_7);
    expect(await evaluated(broker, 1)).toMatchObject([{ state: 'reacted' }]);
  });

  it('leaves no gap: a hold that lifted itself is placed again by the next signal', async () => {
    const setting = await startSignalBroker({ reactions: [{ ...HOLD, holdSeconds: 10 }], dedupeSeconds: 3_600 });
    const { broker } = setting;
    await setting.say(setting.idp, AGENT_7);
    await evaluated(broker, 1);
    await broker.advance(10_000);
    await broker.work('receipts');
    await setting.say(setting.idp, AGENT_7);
    expect((await evaluated(broker, 2)).at(-1)).toMatchObject({ state: 'reacted' });
    expect((await broker.exchange(await broker.identity('agent-7'))).status).toBe(400);
  });

  it('is not kept away by a clock that was ahead', async () => {
    const setting = await startSignalBroker({ reactions: [{ ...HOLD, do: 'cutoff' }] });
    setting.broker.clock.jump(3_600_000);
    await setting.say(setting.idp, AGENT_7);
    await countedAs('reacted', setting.broker);
    setting.broker.clock.jump(-3_600_000);
    await setting.broker.advance(1_000);
    await setting.say(setting.idp, AGENT_7);
    expect((await evaluated(setting.broker, 2)).at(-1)).toMatchObject({ state: 'reacted' });
  });
});

function ledgerOn(clock: HandClock): Ledger {
  const { records, log } = modelStore(clock);
  return { records, log: openRevocationLog(log), clock };
}

/** Waits for a signal by the metrics: a broker whose clock is wrong lets nobody read its log. */
const countedAs = (state: string, { operationsUrl }: { operationsUrl: string }): Promise<void> =>
  until(
    async () => new RegExp(`state="${state}"} [1-9]`).test(await (await fetch(`${operationsUrl}/metrics`)).text()),
    'the signal was not evaluated',
  );
