/** Requested access: scope and authorization details mean the same, and nothing else is read. */
import fc from 'fast-check';
import { describe, expect, it, test } from '@jest/globals';
import { BrokerError } from '../../../src/domain/errors.js';
import {
  accessFromDetails,
  accessFromScope,
  detailsOf,
  scopeOf,
  uniteAccess,
} from '../../../src/targets/requested-access.js';

describe('requested access', () => {
  const TARGET = 'https://tickets.example';
  const path = fc
    .stringMatching(/^[a-z:@.~]{1,8}(\/[a-z0-9]{1,8}){0,3}$/)
    .filter((text) => !/(^|\/)\.{1,2}(\/|$)/.test(text));
  const asked = fc.array(fc.record({ path, actions: fc.constantFrom<string[][]>(['read'], ['read', 'write']) }), {
    minLength: 1,
    maxLength: 4,
  });

  test('means the same as scope and as authorization details', () =>
    fc.assert(
      fc.property(asked, (access) => {
        const united = uniteAccess(access);
        expect(uniteAccess(accessFromScope(scopeOf(united)))).toEqual(united);
        expect(accessFromDetails(JSON.stringify(detailsOf(TARGET, united)), TARGET)).toEqual(united);
        expect(uniteAccess(united, united)).toEqual(united);
      }),
    ));

  test('whatever else is written is refused, never a crash', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        for (const read of [() => accessFromScope(text), () => accessFromDetails(text, TARGET)]) {
          try {
            read();
          } catch (error) {
            expect(error).toBeInstanceOf(BrokerError);
            if (text.length > 3) expect((error as Error).message).not.toContain(text);
          }
        }
      }),
      { numRuns: 500 },
    ));

  it('an action with a colon has no scope, and is not read as another action', () => {
    expect(scopeOf([{ path: 'bucket/x', actions: ['s3:GetObject', 'read'] }])).toBe('bucket/x:read');
    expect(accessFromScope('bucket/x:s3:GetObject')).toEqual([{ path: 'bucket/x:s3', actions: ['GetObject'] }]);
  });

  it('is at most 32 pairs, both forms together', () => {
    const pairs = (count: number, from = 0) =>
      Array.from({ length: count }, (_, n) => ({ path: `p/${from + n}`, actions: ['read'] }));
    expect(uniteAccess(pairs(16), pairs(16, 16))).toHaveLength(32);
    expect(() => uniteAccess(pairs(17), pairs(16, 17))).toThrow('At most 32 pairs');
  });
});
