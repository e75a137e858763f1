/** What lies in the store under the secret of somebody else: neither the store nor the secret is of use alone. */
import { describe, expect, it } from '@jest/globals';
import { derived, isSecret, lock, newSecret, tagFor, unlock } from '../../../src/keys/locked.js';

describe('a locked box', () => {
  it('opens by its secret, and by no other', async () => {
    const [secret, other] = [newSecret(), newSecret()];
    const box = await lock(secret, 'a token');
    expect(await unlock(secret, box)).toBe('a token');
    expect(await unlock(other, box)).toBeUndefined();
    expect(box).not.toContain(Buffer.from('a token').toString('base64url').slice(0, 8));
  });

  it('does not open once a part of it was changed, or taken from another', async () => {
    const secret = newSecret();
    const [one, two] = [await lock(secret, 'a token'), await lock(secret, 'another')];
    const [header, , iv, text, tag] = one.split('.');
    const [, , , otherText] = two.split('.');
    expect(await unlock(secret, [header, '', iv, otherText, tag].join('.'))).toBeUndefined();
    expect(
      await unlock(secret, [header, '', iv, text, tag?.split('').toReversed().join('')].join('.')),
    ).toBeUndefined();
    for (const nothing of ['', 'x', '....']) expect(await unlock(secret, nothing)).toBeUndefined();
  });

  it('has a secret of 256 bits, which is none of what is derived from it', () => {
    const secret = newSecret();
    const all = [secret, ...['session', 'state', 'nonce'].map((purpose) => derived(secret, purpose))];
    expect(new Set(all).size).toBe(all.length);
    expect(all.every(isSecret)).toBe(true);
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    expect(derived(secret, 'state')).toBe(derived(secret, 'state'));
  });

  it('tags a text for one purpose: another secret, purpose or text has another tag', () => {
    const [secret, other] = [newSecret(), newSecret()];
    const tags = [
      tagFor(secret, 'form', 'a'),
      tagFor(secret, 'form', 'b'),
      tagFor(secret, 'other', 'a'),
      tagFor(other, 'form', 'a'),
    ];
    expect(new Set(tags).size).toBe(4);
  });
});
