/** The algebra by which patterns are cut. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { covers, overlaps } from '../../../src/domain/access.js';
import { meet, partsOf } from '../../../src/policy/cedar/patterns.js';

const segment = fc.constantFrom('a', 'b', '*');
const pattern = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([segments, open]) => [...segments, ...(open ? ['**'] : [])].join('/'));
const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 5 }).map((all) => all.join('/'));

describe('the meet of two patterns', () => {
  it('names exactly what both name', () => {
    fc.assert(
      fc.property(pattern, pattern, path, (a, b, one) => {
        const common = meet(a, b);
        const inCommon = common !== undefined && covers(common, one);
        expect(inCommon).toBe(covers(a, one) && covers(b, one));
      }),
      { numRuns: 2_000 },
    );
  });

  it('exists exactly where the two overlap, in either order', () => {
    fc.assert(
      fc.property(pattern, pattern, (a, b) => {
        expect(meet(a, b) !== undefined).toBe(overlaps(a, b));
        expect(meet(a, b)).toBe(meet(b, a));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the parts of a pattern', () => {
  it('are the pattern and every combination of the cuts within it', () => {
    expect(partsOf('**', ['incident/**', '*/4711'])).toEqual(['**', 'incident/**', '*/4711', 'incident/4711']);
    expect(partsOf('incident/*', ['payroll/**', 'incident'])).toEqual(['incident/*']);
  });

  it('are refused when there are more than one request may cost', () => {
    const cuts = Array.from({ length: 128 }, (_, index) => `incident/${index}`);
    expect(partsOf('**', cuts)).toBeUndefined();
    expect(partsOf('incident/4/**', cuts)).toHaveLength(1);
  });
});
