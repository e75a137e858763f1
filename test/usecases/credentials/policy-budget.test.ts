/** Policy work has a budget: it is counted before it is done, refused above what one request may need, and charged to who asks. */
import { describe, expect, it } from '@jest/globals';
import { assertPartyWithin } from '../../../src/compose/rate.js';
import type { PartyRef } from '../../../src/domain/party.js';
import { createCedarEngine } from '../../../src/policy/cedar/cedar.js';
import { configuredWith, ticketsTarget, writePolicies } from '../../support/policy.js';
import { AGENT, wholeBroker } from '../../support/brokers/use-cases.js';

const POLICIES = `@id("all") permit (principal, action, resource);
@id("labels") forbid (principal in Group::"nobody", action in Action::"access", resource)
  when { resource.pattern || resource.sensitivity.contains("s0") };`;

const LABELS = Array.from({ length: 7 }, (_, label) => ({
  match: Array.from({ length: 7 }, (_, index) => (index === label ? 'a' : '*')).join('/'),
  sensitivity: [`s${label}`],
}));
/** Six free segments: itself and 64 parts, so 65 evaluations. */
const DEAR = 'b/*/*/*/*/*/*';

async function counting(assertWithinRate: (party: PartyRef, points?: number) => Promise<void>) {
  const count = { done: 0 };
  const policy = await createCedarEngine({
    directory: writePolicies({ 'a.cedar': POLICIES }),
    configured: configuredWith([ticketsTarget({ labels: LABELS })]),
    maxCachedVerdicts: 1_000,
    onEvaluation: () => (count.done += 1),
  });
  const broker = await wholeBroker({ policy, assertWithinRate });
  const { task } = await broker.open();
  const ask = (path: string, ...actions: string[]) =>
    broker.exchange({ under: { taskId: task.id }, access: [{ path, actions }] });
  count.done = 0;
  return { broker, count, ask };
}

describe('the budget of policy work', () => {
  it('refuses a request above it with with-less, before anything is evaluated, and the audit log says so', async () => {
    const { broker, count, ask } = await counting(() => Promise.resolve());
    await expect(ask(DEAR, 'read', 'write')).rejects.toMatchObject({
      code: 'invalid_request',
      details: { retry: 'with-less' },
    });
    expect(count.done).toBe(0);
    expect(await broker.audited()).toContainEqual(
      expect.objectContaining({ type: 'credential.refused', error: 'invalid_request', retry: 'with-less' }),
    );
    await ask(DEAR, 'read');
    expect(count.done).toBe(65);
  });

  it('is charged to who asks: one point for the request, and one for each further sixteen evaluations', async () => {
    const charged: [string, number][] = [];
    const { ask } = await counting(({ id }, points = 1) => {
      charged.push([id, points]);
      return Promise.resolve();
    });
    await ask('incident/4711', 'read');
    await ask(DEAR, 'read');
    expect(charged).toEqual([
      [AGENT, 1],
      [AGENT, 1],
      [AGENT, 4],
    ]);
  });

  it('is charged before it is spent: who has no rate left for a dear request can still make a simple one', async () => {
    const { count, ask } = await counting(assertPartyWithin({ perWorkloadPerMinute: 7, perIssuerPerMinute: 100 }));
    await ask(DEAR, 'read');
    count.done = 0;
    await expect(ask('b/*/*/*/*/*/a', 'read')).rejects.toMatchObject({ code: 'slow_down' });
    expect(count.done).toBe(0);
  });
});
