/** Questions about one request to an engine elsewhere: at once, with the answers that one after the other would have had. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideAccess, type AccessQuestion, type Decision } from '../../../src/authorization/decide.js';
import { BrokerError } from '../../../src/domain/errors.js';
import type { PolicyEngine } from '../../../src/policy/policy-engine.js';
import { handClock } from '../../support/clock.js';
import { bodyOf, json, serve, type EvaluationRequest } from '../../support/policy-engines/decision-point.js';
import { authzenEngine } from '../../support/policy-engines/remote.js';
import { TICKETS, workload } from '../../support/policy.js';

type Said = 'permit' | 'short' | 'approve' | 'deny' | 'silent';

/** What the engine says of a path, which begins with the place of its answer; it may wait before it does. */
type Answering = (path: string) => Promise<Said> | Said;
const CONTEXTS = { permit: {}, short: { lifetimeSeconds: 30 }, approve: { approvals: ['sre'] }, deny: {} };

async function engineThat(answering: () => Answering, clock = handClock()): Promise<PolicyEngine> {
  const { url } = await serve((request, response) => {
    if (request.method === 'GET') return void response.writeHead(404).end();
    void bodyOf(request).then(async (body) => {
      const { resource } = body as EvaluationRequest;
      const said = resource.type === 'resource' ? await answering()(resource.id) : 'permit';
      if (said === 'silent') response.writeHead(500).end();
      else
        json(response, {
          decision: said !== 'deny',
          context: { ...CONTEXTS[said], policies: [resource.id], digest: '1' },
        });
    });
  });
  return authzenEngine(url, { clock });
}

const party = workload('agent-7');
const question = (paths: number): AccessQuestion => ({
  party,
  task: { workload: party, purpose: 'x', purposeFrom: 'agent', lineage: [] } as unknown as AccessQuestion['task'],
  target: TICKETS,
  access: Array.from({ length: paths }, (_, place) => ({ path: `incident/${place}`, actions: ['read'] })),
  lifetimeSeconds: 300,
  risk: { level: 'LOW', risks: [] },
  now: 0,
});

const decided = (policy: PolicyEngine, paths: number): Promise<Decision> =>
  decideAccess({ policy, assertWithinRate: () => Promise.resolve() }, question(paths));

const outcomeOf = async (deciding: Promise<Decision>) => {
  try {
    return { ...(await deciding), id: '' };
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    return error.code;
  }
};

describe('The questions of one request', () => {
  it('have the answer that they would have one after the other, whatever is said to which, and in which order', async () => {
    let answering: Answering = () => 'permit';
    const engine = await engineThat(() => answering);
    const said = fc.constantFrom<Said>('permit', 'permit', 'permit', 'short', 'approve', 'deny', 'silent');
    const answers = fc.array(fc.tuple(said, fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 20 });
    const outcomes = new Set<unknown>();
    await fc.assert(
      fc.asyncProperty(answers, async (given) => {
        answering = async (path) => {
          // The last of a request before, whose answer nobody waits for any more, may be heard only now.
          const [answer, waits] = given[Number(path.split('/').at(-1))] ?? ['permit', 0];
          for (let turn = 0; turn < waits; turn += 1) await new Promise(setImmediate);
          return answer;
        };
        const one = await outcomeOf(decided(engine, given.length));
        expect(one).toEqual(await outcomeOf(decided({ ...engine, atOnce: 1 }, given.length)));
        outcomes.add(typeof one === 'string' ? one : one.outcome);
      }),
      { numRuns: 150 },
    );
    expect([...outcomes].toSorted()).toEqual(['deny', 'needs-approval', 'permit', 'temporarily_unavailable']);
  });

  it('are under way eight at once, and no more', async () => {
    let [underWay, most, released] = [0, 0, false];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const engine = await engineThat(() => async () => {
      underWay += 1;
      most = Math.max(most, underWay);
      // The engine answers none before it has eight: asked one after the other there would never be an answer.
      if (underWay === 8) released = true;
      if (released) release();
      await gate;
      underWay -= 1;
      return 'permit' as const;
    });
    expect(await decided(engine, 20)).toMatchObject({ outcome: 'permit' });
    expect([most, released]).toEqual([8, true]);
  });

  it('share the time of one', async () => {
    const clock = handClock();
    let asked = 0;
    const engine = await engineThat(
      () => () => {
        asked += 1;
        // Each answer is in time for itself.
        clock.advance(20_000);
        return 'permit';
      },
      clock,
    );
    expect(await outcomeOf(decided(engine, 32))).toBe('temporarily_unavailable');
    expect(asked).toBeLessThan(16);
    expect(await decided(engine, 1)).toMatchObject({ outcome: 'permit' });
  });
});
