import { expect, it } from '@jest/globals';
import { createTrustKeys } from '../../../src/identity/trust-keys.js';
import { handClock } from '../../support/clock.js';

const EMPTY = '{"keys":[]}';

it('one reading is under way at a time, whatever asks for it', async () => {
  let reads = 0;
  let finish: (text: string) => void = () => undefined;
  const read = () => {
    reads += 1;
    return new Promise<string>((resolve) => (finish = resolve));
  };
  const keys = createTrustKeys({ read, freshForMs: 1_000, missPauseMs: 1_000 }, 'jwks', handClock());
  const renewed = () => keys.renewed().then((found) => found.keys);
  const asked = [keys.current(), renewed(), keys.current(), renewed()];
  finish(EMPTY);
  const [first, ...others] = await Promise.all(asked);
  expect(reads).toBe(1);
  for (const other of others) expect(other).toBe(first);
});

it('while keys are read again, the others go on with those that are known', async () => {
  const clock = handClock();
  let answer: Promise<string> = Promise.resolve(EMPTY);
  const keys = createTrustKeys({ read: () => answer, freshForMs: 1_000, missPauseMs: 1_000 }, 'jwks', clock);
  const known = await keys.current();
  clock.advance(1_000);
  let finish: (text: string) => void = () => undefined;
  answer = new Promise((resolve) => (finish = resolve));
  const waiting = keys.current();
  expect(await keys.current()).toBe(known);
  finish('{"keys":[], "changed": true}');
  expect(await waiting).not.toBe(known);
});

it('read again unchanged, the keys stay the same object: nothing that is remembered is thrown away', async () => {
  const clock = handClock();
  let text = EMPTY;
  const keys = createTrustKeys(
    { read: () => Promise.resolve(text), freshForMs: 1_000, missPauseMs: 1_000 },
    'jwks',
    clock,
  );
  const known = await keys.current();
  clock.advance(1_000);
  expect(await keys.current()).toBe(known);
  text = `${EMPTY} `;
  clock.advance(1_000);
  expect(await keys.current()).not.toBe(known);
});
