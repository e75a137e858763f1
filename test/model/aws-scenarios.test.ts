/** AWS sessions over random lives of a broker: whatever happened, exactly those live that must. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Denials } from '../../src/minters/minter.js';
import { play, type Tally } from '../support/sessions/scenario.js';
import { scenarios } from '../support/sessions/steps.js';

const SEED = 20_300_101;

async function playAll(runs: number, fillOf?: (denials: Denials) => number): Promise<Tally> {
  const sum: Tally = { lived: 0, died: 0, made: 0, compactions: 0 };
  const property = fc.asyncProperty(scenarios, async (steps) => {
    const tally = await play(steps, fillOf);
    for (const name of Object.keys(sum) as (keyof Tally)[]) sum[name] += tally[name];
  });
  await fc.assert(property, { numRuns: runs, seed: SEED });
  return sum;
}

it('after any life of a broker the dead sessions are denied and the living pass', async () => {
  const { lived, died } = await playAll(600);
  expect(Math.min(lived, died)).toBeGreaterThan(400);
}, 120_000);

it('and so it is where a role has room for few ends, so that the broker must cut off more than was asked', async () => {
  const linesOf = ({ credentials, tasks, workloads }: Denials) => credentials.length + tasks.length + workloads.length;
  const { lived, died, compactions } = await playAll(400, (denials) => linesOf(denials) / 2);
  expect(Math.min(lived, died, compactions)).toBeGreaterThan(100);
}, 120_000);
