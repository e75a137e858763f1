/** What callers carry for the broker: they learn nothing of it, and cannot make or change it. */
import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hiddenBy } from '../../../src/keys/hidden.js';

const key = randomBytes(32);
const { hide, reveal } = hiddenBy(key);
const text = fc.string({ maxLength: 64, unit: fc.constantFrom('a', 'b', 'z', '2', '7', '.', '_', '0') });

it('is revealed by every broker with the same key, for the same use, and by no other', () => {
  fc.assert(
    fc.property(text, (one) => {
      const hidden = hide(one, 'tasks');
      expect(hiddenBy(key).reveal(hidden, 'tasks')).toBe(one);
      expect(reveal(hidden, 'approvals')).toBeUndefined();
      expect(hiddenBy(randomBytes(32)).reveal(hidden, 'tasks')).toBeUndefined();
    }),
  );
});

it('is equally long whatever it says, and another each time', () => {
  fc.assert(
    fc.property(text, text, (one, other) => {
      expect(hide(one, 'tasks')).toHaveLength(hide(other, 'tasks').length);
      expect(hide(one, 'tasks')).not.toBe(hide(one, 'tasks'));
      expect(hide(one, 'tasks')).toMatch(/^[\w-]+$/);
    }),
  );
});

it('is not revealed with one bit changed, cut, or made by somebody', () => {
  const bytes = Buffer.from(hide('1.tsk_aabbbbbbbbbbbbbb', 'tasks'), 'base64url');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(reveal(changed.toString('base64url'), 'tasks')).toBeUndefined();
  }
  for (let length = 0; length < bytes.length; length += 1)
    expect(reveal(bytes.subarray(0, length).toString('base64url'), 'tasks')).toBeUndefined();
  expect(reveal('1.tsk_aabbbbbbbbbbbbbb', 'tasks')).toBeUndefined();
});
