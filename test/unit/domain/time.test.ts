/** Times from outside: what RFC 3339 can write, and an answer can write again. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromTimestamp, LATEST_SECONDS, toTimestamp } from '../../../src/domain/time.js';

it.each([
  '9999-12-31T23:59:59-23:59',
  '9999-12-31T23:59:59-00:01',
  '0000-01-01T00:00:00Z',
  '1970-01-01T00:00:00+00:01',
  '+010000-01-01T00:00:00Z',
  '2027-02-30T00:00:00Z',
  '2027-13-01T00:00:00Z',
  '2027-01-01T24:00:00Z',
  '2027-01-01T00:00:00',
  '2027-01-01',
  '1800000000',
  '',
])('%s is no time', (text) => {
  expect(fromTimestamp(text)).toBeUndefined();
});

it('every time that an answer can write is read again as the same moment, with any offset', () => {
  const moments = fc.integer({ min: 0, max: LATEST_SECONDS * 1000 + 999 });
  fc.assert(fc.property(moments, (ms) => fromTimestamp(toTimestamp(ms)) === ms));
  expect(fromTimestamp('2027-01-31T10:30:00.5+01:00')).toBe(Date.UTC(2027, 0, 31, 9, 30, 0, 500));
});
