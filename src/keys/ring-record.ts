/**
 * The ring of signing keys in the store. It is one record, changed by compare-and-set, so that all brokers agree on which key
 * signs.
 */
import { DAY_MS, type Clock } from '../domain/time.js';
import { record, type Versioned } from '../store/record.js';
import { StoreUnavailable, type Key, type Records } from '../store/store.js';
import { dueStep, needsFreshKey, ringSchema, stepped, type Ring, type Step } from './ring.js';
import { sealedKey } from './seal.js';

const rings = record(ringSchema, (name: 'ring'): Key => `keys/${name}`);

/** Returns whether signing keys were made yet. */
export const hasRing = async (records: Records): Promise<boolean> =>
  (await rings.read({ records }, 'ring')) !== undefined;

/** A ring needs at most three steps at a time. Every further attempt means that another broker wrote first. */
const ATTEMPTS = 16;

export interface RingDeps {
  records: Records;
  clock: Clock;
  keyEncryptionKey: Uint8Array;
  /** Absent: no step is taken but the one that is asked for. A tool takes none by itself, since only a broker enters it. */
  rotationDays?: number;
}

/**
 * Takes the step `asked`, if given, and then every step that is due. Returns the ring as it stands afterwards. If the store
 * fails, a step may have been taken all the same; the next read of the ring shows it. A step that was not asked for waits
 * while the store takes no records: the keys in the ring verify until then.
 */
export async function turnRing(deps: RingDeps, asked?: Step): Promise<{ ring: Ring; steps: Step[] }> {
  const steps: Step[] = [];
  let pending = asked;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const stored = await rings.read(deps, 'ring');
    const ring = stored?.value;
    // A key is announced already: two requests must not rotate twice.
    if (pending === 'announce' && ring?.next) pending = undefined;
    const step = (ring && pending) ?? dueNow(deps, ring);
    if (step === undefined) {
      if (ring) return { ring, steps };
      continue;
    }
    try {
      if (!(await tookStep(deps, stored, step))) continue;
    } catch (error) {
      if (ring && step !== pending && error instanceof StoreUnavailable) return { ring, steps };
      throw error;
    }
    steps.push(step);
    if (step === pending) pending = undefined;
  }
  throw new Error('the ring of signing keys would not settle');
}

/** By a wrong clock no step is due: a key would sign before its hour of notice, or be dropped while its tokens live. */
function dueNow({ clock, rotationDays }: RingDeps, ring: Ring | undefined): Step | undefined {
  if (!ring) return 'create';
  if (rotationDays === undefined) return undefined;
  return clock.isTrusted() ? dueStep(ring, clock.now(), rotationDays * DAY_MS) : undefined;
}

async function tookStep(deps: RingDeps, stored: Versioned<Ring> | undefined, step: Step): Promise<boolean> {
  const fresh = needsFreshKey(step) ? await sealedKey(deps.keyEncryptionKey) : undefined;
  const next = stepped(stored?.value, step, deps.clock.unchecked(), fresh);
  return (await rings.write(deps, 'ring', stored, next)) !== undefined;
}
