/** The lease of a webhook outlasts what its holder does with it. */
import { expect, it } from '@jest/globals';
import { TURN_MS } from '../../../src/notify/deliver.js';
import { PATIENCE_MS } from '../../../src/notify/deliver-entry.js';
import { LEASE_MS, RENEWED_BELOW_MS } from '../../../src/notify/lease.js';

it('a turn, and a try that begins at its end, take less than what is left of a lease that is not renewed', () => {
  expect(TURN_MS + PATIENCE_MS).toBeLessThan(RENEWED_BELOW_MS);
});

it('a lease is not renewed in every turn: each renewal is a write to the store', () => {
  expect(RENEWED_BELOW_MS).toBeLessThan(LEASE_MS);
});
