/** The ring in the store: one record, changed by compare-and-set, so that all brokers agree on which key signs. */
import type { Clock } from '../domain/time.js';
import { record, type Versioned } from '../store/record.js';
import type { Key, Records } from '../store/store.js';
import { dueStep, needsFreshKey, ringSchema, stepped, type Ring, type Step } from './ring.js';
import { sealedKey } from './seal.js';

const rings = record(ringSchema, (name: 'ring'): Key => `keys/${name}`);
const DAY_MS = 86_400_000;

/** A ring needs at most three steps at a time; every further attempt is another broker being first. */
const ATTEMPTS = 16;

export interface RingDeps {
  records: Records;
  clock: Clock;
  keyEncryptionKey: Uint8Array;
  rotationDays: number;
}

/**
 * The ring with everything that was due done to it, and before that `asked`, if given. A rejection of the store leaves
 * open whether a step was taken; the next reading of the ring tells.
 */
export async function turnRing(deps: RingDeps, asked?: Step): Promise<{ ring: Ring; steps: Step[] }> {
  const steps: Step[] = [];
  let pending = asked;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const stored = await rings.read(deps, 'ring');
    const ring = stored?.value;
    if (pending === 'announce' && ring?.next) pending = undefined; // Asking twice does not rotate twice.
    const step = (ring && pending) ?? dueStep(ring, deps.clock.now(), deps.rotationDays * DAY_MS);
    if (step === undefined) {
      if (ring) return { ring, steps };
    } else if (await tookStep(deps, stored, step)) {
      steps.push(step);
      if (step === pending) pending = undefined;
    }
  }
  throw new Error('the ring of signing keys would not settle');
}

async function tookStep(deps: RingDeps, stored: Versioned<Ring> | undefined, step: Step): Promise<boolean> {
  const fresh = needsFreshKey(step) ? await sealedKey(deps.keyEncryptionKey) : undefined;
  const next = stepped(stored?.value, step, deps.clock.now(), fresh);
  return (await rings.write(deps, 'ring', stored, next)) !== undefined;
}
