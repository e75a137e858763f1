/** Selectors, the causes that they become, and the effects that fit them. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  ALL,
  cause,
  defaultEffect,
  effectFits,
  EFFECTS,
  isWellFormed,
  SELECTOR_KINDS,
} from '../../../src/domain/selector.js';

const VECTORS = { workload: '6KtyOxfJCjApV4-T', all: '83D4uj_1BSwAWrkN' };

describe('a cause', () => {
  // printf 'workload:lab:agent-7' | openssl dgst -sha256 -binary | head -c 12 | basenc --base64url
  it('is base64url of the first 96 bits of SHA-256 over kind, colon, value', () => {
    expect(cause('workload', 'lab:agent-7')).toBe(VECTORS.workload);
    expect(ALL).toBe(VECTORS.all);
    const whole = createHash('sha256').update('task:tsk_aabbbbbbbbbbbbbb').digest('base64url');
    expect(cause('task', 'tsk_aabbbbbbbbbbbbbb')).toBe(whole.slice(0, 16));
  });
});

describe('a selector', () => {
  it('holds by default what is wide, and ends what is one thing', () => {
    expect(SELECTOR_KINDS.map(defaultEffect)).toEqual([
      'end',
      'end',
      'hold',
      'hold',
      'end',
      ...Array<string>(5).fill('hold'),
      'end',
      'hold',
    ]);
  });

  it('fits the effects that mean something for it', () => {
    const fitting = SELECTOR_KINDS.map((kind) => EFFECTS.filter((effect) => effectFits(kind, effect)).join());
    const wide = 'cutoff,hold';
    expect(fitting).toEqual(['end', 'end,hold', wide, wide, 'end,hold', ...Array<string>(5).fill(wide), 'end', wide]);
    expect(effectFits('all', 'nothing' as 'end')).toBe(false);
  });

  it.each([
    ['all', 'x'],
    ['credential', 'tsk_aabbbbbbbbbbbbbb'],
    ['task', ''],
    ['drill', 'crd_aabbbbbbbbbbbbbb'],
    ['workload', ''],
    ['workload', ' \t'],
    ['owner', 'x'.repeat(2_049)],
    ['workload', 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln'],
  ] as const)('%s with %j is malformed', (kind, value) => expect(isWellFormed({ kind, value })).toBe(false));
});
