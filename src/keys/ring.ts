/**
 * The ring of signing keys. A key is announced an hour before it signs, then current, then retiring for as long as a token that
 * it signed can be valid. One function says when a step is due, another what the step does.
 */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { FORGET_MARGIN_MS, HARD_LIMITS } from '../domain/limits.js';
import { moment, natural } from '../domain/schemas.js';

/** Verifiers fetch the key set at least once an hour, so all of them know a key before its first signature. */
const LEAD_MS = 3_600_000;

/** The margin also covers a broker that still signs with a ring it read up to `RING_STALE_MS` ago. */
const RETIRED_MS = HARD_LIMITS.credentialLifetimeSeconds * 1000 + FORGET_MARGIN_MS;

const sealedKeySchema = z.strictObject({
  kid: z.string(),
  /** The private key as JWE. The public key is derived from it, so only a holder of the key-encryption key can add a key. */
  sealed: z.string(),
});

export const ringSchema = z.strictObject({
  /** Raised by every write: see store/record.ts. */
  revision: natural,
  current: z.strictObject({ ...sealedKeySchema.shape, from: moment }),
  next: z.strictObject({ ...sealedKeySchema.shape, from: moment }).optional(),
  retiring: z.array(z.strictObject({ ...sealedKeySchema.shape, until: moment })),
});

export type Ring = z.infer<typeof ringSchema>;
/** The ring without its revision, which is set when it is written. */
type RingKeys = Omit<Ring, 'revision'>;
export type SealedKey = z.infer<typeof sealedKeySchema>;

/** A change of the ring. `replace` and `distrust` are never due by time: an operator asks for them. */
export type Step = 'create' | 'announce' | 'promote' | 'forget' | 'replace' | 'distrust';

/** Returns the step that is due now; undefined when none is. */
export function dueStep(ring: RingKeys | undefined, now: number, rotationMs: number): Step | undefined {
  if (!ring) return 'create';
  if (ring.next && now >= ring.next.from) return 'promote';
  if (!ring.next && now >= ring.current.from + rotationMs - LEAD_MS) return 'announce';
  if (ring.retiring.some(({ until }) => now >= until)) return 'forget';
  return undefined;
}

export const needsFreshKey = (step: Step): boolean => step !== 'promote' && step !== 'forget';

/**
 * Returns the ring after the step.
 * @param fresh A new key, for the steps that need one.
 */
export function stepped(ring: RingKeys | undefined, step: Step, now: number, fresh: SealedKey | undefined): RingKeys {
  if (step === 'create') return { current: { ...required(fresh), from: now }, retiring: [] };
  const { current, next, retiring } = required(ring);
  const retired = [{ kid: current.kid, sealed: current.sealed, until: now + RETIRED_MS }, ...retiring];
  const after = defined({ current, next, retiring });
  switch (step) {
    case 'announce':
      return { ...after, next: { ...required(fresh), from: now + LEAD_MS } };
    case 'promote':
      return { current: { ...required(next), from: now }, retiring: retired };
    case 'forget':
      return { ...after, retiring: retiring.filter(({ until }) => now < until) };
    // The announced key is dropped too: it has signed nothing, and whoever reached the current key may have reached it.
    case 'replace':
      return { current: { ...required(fresh), from: now }, retiring: retired };
    case 'distrust':
      return { current: { ...required(fresh), from: now }, retiring: [] };
    default:
      throw new Error('unknown step');
  }
}

/** Returns all published keys, the current one first. */
export const sealedKeysOf = (ring: RingKeys): SealedKey[] => [
  ring.current,
  ...(ring.next ? [ring.next] : []),
  ...ring.retiring,
];

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('this step needs a key that is not there');
  return value;
}
