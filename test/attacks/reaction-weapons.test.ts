/**
 * Somebody aims a reaction at others, or keeps one away from themselves: by what may be written beside a hold, by using up what
 * brakes reactions, or by reporting twice. Each attack is tried on a whole broker, over HTTP.
 */
import { describe, expect, it } from '@jest/globals';
import { evaluated, startSignalBroker } from '../support/brokers/signals.js';
import { workload } from '../support/issuers/transmitter.js';

const HOLD = { name: 'edr-high', event: 'session-revoked', do: 'hold', covers: 'workload' };
const AGENT_7 = workload('agent-7');

describe('a hold that somebody else placed', () => {
  it('does not pass for that of a reaction, whatever its ticket and its reason say', async () => {
    const setting = await startSignalBroker({ reactions: [HOLD], dedupeSeconds: 0 });
    const { broker } = setting;
    const soc = await broker.identity('soc');
    const selector = { kind: 'workload', value: 'lab:agent-7' };
    const words = { reason: 'session-revoked from idp: edr-high', ticket: 'reaction:edr-high' };
    const forged = await broker.post('/revocations', { selector, ...words, unseen: true }, soc);
    expect(forged.status).toBe(200);
    await setting.say(setting.idp, AGENT_7);
    expect(await evaluated(broker, 1)).toMatchObject([{ state: 'reacted' }]);
    await broker.remove(`/revocations/${(forged.body as { seq: number }).seq}`, soc);
    expect((await broker.exchange(await broker.identity('agent-7'))).body).toMatchObject({ retry: 'after-lift' });
  });

  it('cannot be said to be of a reaction', async () => {
    const { broker } = await startSignalBroker({ reactions: [HOLD] });
    const selector = { kind: 'workload', value: 'lab:agent-7' };
    const order = { selector, reason: 'x', reaction: 'edr-high', unseen: true };
    expect(await broker.post('/revocations', order, await broker.identity('soc'))).toMatchObject({ status: 400 });
  });
});
