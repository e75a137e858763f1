/**
 * AWS sessions over random lives of a broker: whatever happened, exactly those live that must.
 * TEST_LIVES says how many lives are played (default 250, nightly 1000), TEST_SEED repeats a run.
 */
import { randomInt } from 'node:crypto';
import { it } from '@jest/globals';
import fc from 'fast-check';
import type { Denials } from '../../src/minters/minter.js';
import { play, type Tally } from '../support/sessions/scenario.js';
import { scenarios } from '../support/sessions/steps.js';

const LIVES = Number(process.env['TEST_LIVES'] ?? 250);
const SEED = fc.readConfigureGlobal().seed ?? randomInt(2 ** 31);
const BATCH = 50;

/** Plays so many lives, and more until `isEnough`: if nothing lived or nothing died in them, they would prove nothing. */
async function playAll(
  lives: number,
  isEnough: (seen: Tally) => boolean,
  fillOf?: (denials: Denials) => number,
): Promise<void> {
  const seen: Tally = { lived: 0, died: 0, made: 0, compactions: 0 };
  const property = fc.asyncProperty(scenarios, async (steps) => {
    const tally = await play(steps, fillOf);
    for (const name of Object.keys(seen) as (keyof Tally)[]) seen[name] += tally[name];
  });
  for (let played = 0; played < lives || !isEnough(seen); played += BATCH)
    await fc.assert(property, { numRuns: BATCH, seed: SEED + played });
}

it('after any life of a broker the dead sessions are denied and the living pass', async () => {
  const lives = LIVES * 0.6;
  await playAll(lives, ({ lived, died }) => Math.min(lived, died) > lives / 1.5);
});

it('and so it is where a role has room for few ends, so that the broker must cut off more than was asked', async () => {
  const lives = LIVES * 0.4;
  await playAll(
    lives,
    ({ lived, died, compactions }) => Math.min(lived, died, compactions) > lives / 4,
    ({ credentials, tasks, workloads }) => (credentials.length + tasks.length + workloads.length) / 2,
  );
});
