/** Objects without undefined members: nothing else is left out. */
import { expect, it } from '@jest/globals';
import { defined } from '../../../src/domain/defined.js';

it('a member that is undefined is left out, so that its name is not there either', () => {
  const kept = defined({ a: 1, b: undefined, c: 'x' });
  expect(Object.keys(kept)).toEqual(['a', 'c']);
  expect('b' in kept).toBe(false);
});

it('a member that is false, 0, an empty text or null says something, and stays', () => {
  const members = { no: false, none: 0, empty: '', nothing: null, list: [] };
  expect(defined(members)).toStrictEqual(members);
});

it('the members that stay keep their order, and the object that was passed is not changed', () => {
  const members = { z: 1, y: undefined, a: 2 };
  expect(JSON.stringify(defined(members))).toBe('{"z":1,"a":2}');
  expect(Object.keys(members)).toEqual(['z', 'y', 'a']);
});
