/** A failover that keeps what lives, in every order of crashes, promotions and publications. See support/search/failovers.ts. */
import { describe, expect, it } from '@jest/globals';
import { searchFailovers, type Bounds, type Rule } from '../support/search/failovers.js';

const none = { publications: 1, births: 0, stamps: 0, crashes: 0, promotions: 2, demotions: 0, generations: 0 };
const PAIR: Bounds = { ...none, replicas: 1, broker: 'new', stamps: 1, crashes: 1, generations: 1 };
const THREE: Bounds = { ...none, replicas: 2, broker: 'new', demotions: 2 };
const MEMORY: Bounds = {
  ...{ ...none, replicas: 1, broker: 'remembers', publications: 2 },
  ...{ births: 1, promotions: 1, demotions: 1 },
};

describe('where a failover keeps what lives, in every order', () => {
  it.each([
    ['of two servers that crash, start from old disks and are promoted in turn', PAIR],
    ['of three servers that are promoted and split off', THREE],
    ['of births and publications on both sides of a promotion', MEMORY],
  ])('G5: nothing acknowledged is missing, ended things stay dead, and no old generation returns: %s', (_, bounds) => {
    const { broken, kept } = searchFailovers(bounds);
    expect({ broken, kept }).toEqual({ broken: undefined, kept: true });
  });

  const LACKING = 'what was acknowledged is missing from an answer';
  it.each<[Rule, Bounds, string]>([
    ['acknowledge late', PAIR, LACKING],
    ['acknowledge late', THREE, LACKING],
    ['stamp at home', PAIR, LACKING],
    ['adopt what continues', PAIR, LACKING],
    ['adopt while running', PAIR, LACKING],
    ['replace late', PAIR, 'a generation that was replaced is back'],
    ['remember', MEMORY, 'what was ended is active, though that was acknowledged'],
  ])('and each rule is needed: without "%s" the search finds how it breaks', (rule, bounds, guarantee) => {
    expect(searchFailovers(bounds, rule).broken?.guarantee).toBe(guarantee);
  });
});
