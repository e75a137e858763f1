/** Ids name their shard, and cannot be guessed or forged in another form. */
import { describe, expect, it } from '@jest/globals';
import { isId, newId, shardOf, shardOfDigest, SHARDS } from '../../../src/domain/id.js';

describe('an id', () => {
  it('names one of 64 shards, and what is born below inherits it', () => {
    expect([SHARDS.length, new Set(SHARDS).size, SHARDS[0], SHARDS.at(-1)]).toEqual([64, 64, 'aa', 'b7']);
    for (const shard of SHARDS) expect(shardOf(newId('crd', shard))).toBe(shard);
    expect(new Set(Array.from({ length: 2_000 }, () => shardOf(newId('tsk')))).size).toBeGreaterThan(55);
  });

  it('is never the same twice', () => {
    expect(new Set(Array.from({ length: 5_000 }, () => newId('tsk', 'aa'))).size).toBe(5_000);
  });

  it.each([
    '',
    'tsk_',
    'tsk_aabbbbbbbbbbbbb',
    'tsk_aabbbbbbbbbbbbbbb',
    'tsk_cabbbbbbbbbbbbbb',
    'tsk_aaBbbbbbbbbbbbbb',
    'tsk_aa0bbbbbbbbbbbbb',
    'crd_aabbbbbbbbbbbbbb',
    'tsk_aabbbbbbbbbbbbbb\n',
    '__proto__',
  ])('%j is not the id of a task', (text) => expect(isId('tsk', text)).toBe(false));

  it('a digest always finds the same shard', () => {
    for (let byte = 0; byte < 256; byte += 1) expect(SHARDS).toContain(shardOfDigest(new Uint8Array([byte])));
    expect(() => shardOf('nothing')).toThrow('not an id');
  });
});
