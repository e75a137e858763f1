/** What the broker notices by itself, over HTTP: watched by default, acted upon where the operator says so. */
import { describe, expect, it } from '@jest/globals';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';
import { audited, isActive, evaluated, minted } from '../support/brokers/signals.js';

const holding = (event: string, detector: string, covers: string, settings: object = {}) => ({
  signals: {
    detectors: { [detector]: settings },
    reactions: [{ name: 'stop', event, do: 'hold', covers }],
  },
});

/**
 * Each function makes one finding about what lab:agent-7 does: about the workload itself, or about a credential or task of it. The
 * one that no reaction reaches is in test/attacks/detector-weapons.test.ts.
 */
const PROVOKED: [
  event: string,
  detector: string,
  covers: 'task' | 'workload',
  provoke: (broker: TestBroker) => Promise<unknown>,
][] = [
  [
    'use-after-end',
    'useAfterEnd',
    'task',
    async (broker) => {
      const credential = await minted(broker, 'agent-7');
      await broker.form('/revoke', { token: credential.token }, await as(broker, 'agent-7'));
      await isActive(broker, credential);
    },
  ],
  [
    'out-of-scope',
    'outOfScope',
    'task',
    async (broker) => {
      const { task } = await minted(broker, 'agent-7');
      const agent = await broker.identity('agent-7');
      const wish = { purpose: undefined, task_id: task, scope: 'customer/1:read' };
      for (let i = 0; i < 5; i += 1) await broker.exchange(agent, wish);
    },
  ],
  [
    'denial-burst',
    'denialBurst',
    'workload',
    async (broker) => {
      const agent = await broker.identity('agent-7');
      for (let i = 0; i < 30; i += 1) await broker.exchange(agent, { scope: 'customer/1:read' });
    },
  ],
  [
    'mint-spike',
    'mintSpike',
    'workload',
    async (broker) => {
      const agent = await broker.identity('agent-7');
      for (let i = 0; i < 50; i += 1) await broker.exchange(agent);
    },
  ],
  [
    'many-places',
    'manyPlaces',
    'task',
    async (broker) => {
      const { token } = await minted(broker, 'agent-7');
      const api = await as(broker, 'tickets-api');
      for (const place of ['fra', 'ams', 'iad', 'nrt']) {
        await broker.form('/introspect', { token, presented_from: place }, api);
      }
    },
  ],
];

const as = async (broker: TestBroker, sub: string) => ({ authorization: `Bearer ${await broker.identity(sub)}` });

/** Returns a fresh identity, later than everything that cut off or expired older ones. */
const mayMint = async (broker: TestBroker): Promise<boolean> => {
  broker.clock.advance(60_000);
  await broker.work('fitness');
  return (await broker.exchange(await broker.identity('agent-7'))).status === 200;
};

describe('each detector', () => {
  describe.each(PROVOKED)('%s', (event, detector, covers, provoke) => {
    it('is watched by default: what would have been done is said, and nothing is done', async () => {
      const broker = await startBroker({ config: holding(event, detector, covers) });
      await provoke(broker);
      await broker.work('detectors');
      const [finding, ...more] = await evaluated(broker, 1);
      expect(more).toEqual([]);
      expect(finding).toMatchObject({
        event,
        source: 'detector',
        level: 'HIGH',
        state: 'observed',
        reaction: { rule: 'stop', do: 'hold', selector: { kind: covers } },
      });
      expect(await mayMint(broker)).toBe(true);
      await broker.close();
    });

    it('is acted upon where it is not only watched', async () => {
      const broker = await startBroker({
        config: holding(event, detector, covers, { observe: false, level: 'MEDIUM' }),
      });
      await provoke(broker);
      await broker.work('detectors');
      expect(await evaluated(broker, 1)).toMatchObject([{ event, level: 'MEDIUM', state: 'reacted' }]);
      // What somebody does with a credential, or under a task, stops that task and not its workload.
      expect(await mayMint(broker)).toBe(covers === 'task');
      await broker.close();
    });
  });
});

describe('a verifier', () => {
  it('reports a use after the end as a signal of its own', async () => {
    const reactions = [{ name: 'stop', event: 'use-after-end', from: ['lab:siem'], do: 'end', covers: 'task' }];
    const detectors = { useAfterEnd: { observe: false } };
    const broker = await startBroker({ config: { signals: { reactions, detectors } } });
    const { id, task } = await minted(broker, 'agent-7');
    const subject = { format: 'opaque', id };
    const told = { id: 'seen-1', event: 'use-after-end', subject };
    expect((await broker.post('/signals/json', told, await broker.identity('siem'))).status).toBe(202);
    expect(await evaluated(broker, 1)).toMatchObject([
      { event: 'use-after-end', source: 'lab:siem', state: 'reacted', reaction: { selector: { value: task } } },
    ]);
  });
});

describe('presented_from', () => {
  it('is 1 to 256 printable characters', async () => {
    const broker = await startBroker();
    const { token } = await minted(broker, 'agent-7');
    const api = await as(broker, 'tickets-api');
    const asked = (from: string) => broker.form('/introspect', { token, presented_from: from }, api);
    for (const from of ['x'.repeat(257), 'a\nb', 'a\u202eb']) {
      expectOAuthRefusal(await asked(from), 400, 'invalid_request', /presented_from/);
    }
    for (const from of ['x'.repeat(256), '2001:db8::1', 'eu-central-1 / café']) {
      expect((await asked(from)).body).toMatchObject({ active: true });
    }
    expect((await asked('')).body).toMatchObject({ active: true });
  });

  it('stands in no log and no audit entry', async () => {
    const broker = await startBroker();
    const { token } = await minted(broker, 'agent-7');
    const api = await as(broker, 'tickets-api');
    const places = ['hamburg-1', 'hamburg-2', 'hamburg-3', 'hamburg-4'];
    for (const place of places) await broker.form('/introspect', { token, presented_from: place }, api);
    await broker.work('detectors');
    const told = JSON.stringify([await evaluated(broker, 1), await audited(broker, 'credential.granted')]);
    expect(told + broker.logged()).not.toContain('hamburg');
  });
});
