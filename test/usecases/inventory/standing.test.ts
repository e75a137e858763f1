/** What an answer leaves out without a right, it leaves out for that reason alone. */
import { describe, expect, it } from '@jest/globals';
import { permitOnBroker } from '../../../src/authorization/permit-on-broker.js';
import { showWorkload } from '../../../src/inventory/standing.js';
import type { Verdict } from '../../../src/policy/policy-engine.js';
import { wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { refusal } from '../../support/refusal-code.js';

const DENIED: Verdict = { outcome: 'deny', policies: [], digest: 'one', because: { why: 'no-permit', policies: [] } };
const FAILED: Verdict = { ...DENIED, failed: true, because: { why: 'failed', policies: ['broken'] } };

/** A broker whose policy answers so to `readAudit`, and permits everything else. */
async function answering(answer: () => Promise<Verdict>): Promise<WholeBroker> {
  const { deps } = await wholeBroker();
  const decide: typeof deps.policy.decide = (query) =>
    query.action === 'readAudit' ? answer() : deps.policy.decide(query);
  return wholeBroker({ policy: { ...deps.policy, decide } });
}

const shown = async ({ deps, operator, agent }: WholeBroker) =>
  showWorkload(deps, await permitOnBroker(deps, operator, 'readRevocations'), agent.party.id);

describe('the refusals of a workload', () => {
  it('are shown to whom policy permits the audit log, and left out for whom it refuses it', async () => {
    expect(await shown(await wholeBroker())).toMatchObject({ refusals: [] });
    expect(await shown(await answering(() => Promise.resolve(DENIED)))).not.toHaveProperty('refusals');
  });

  it('are not left out because policy cannot be evaluated: then there is no answer', async () => {
    const failed = await answering(() => Promise.resolve(FAILED));
    expect(await refusal(shown(failed))).toBe('temporarily_unavailable');
    const unreachable = await answering(() => Promise.reject(new Error('the engine does not answer')));
    await expect(shown(unreachable)).rejects.toThrow('the engine does not answer');
  });
});
