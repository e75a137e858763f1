/**
 * The ring of signing keys and its life: announced an hour before use, current, then retiring for as long as anything it
 * signed can live. When a step is due is decided here, apart from what the step does.
 */
import { defined } from '../domain/defined.js';
import { z } from 'zod';
import { FORGET_MARGIN_MS, HARD_LIMITS } from '../domain/limits.js';
import { moment, natural } from '../domain/schemas.js';

/** Verifiers refetch the key set within an hour, so a key is known everywhere before its first signature. */
const LEAD_MS = 3_600_000;

/** The margin also covers a broker that signs with what it read of the ring up to `RING_STALE_MS` ago. */
const RETIRED_MS = HARD_LIMITS.credentialLifetimeSeconds * 1000 + FORGET_MARGIN_MS;

const sealedKeySchema = z.strictObject({
  kid: z.string(),
  /** The private key as JWE. The public half is derived from it, so nobody who lacks the key-encryption key can add one. */
  sealed: z.string(),
});

export const ringSchema = z.strictObject({
  /** Raised by every write, so that equal bytes mean no write between. */
  revision: natural,
  current: z.strictObject({ ...sealedKeySchema.shape, from: moment }),
  next: z.strictObject({ ...sealedKeySchema.shape, from: moment }).optional(),
  retiring: z.array(z.strictObject({ ...sealedKeySchema.shape, until: moment })),
});

export type Ring = z.infer<typeof ringSchema>;
export type SealedKey = z.infer<typeof sealedKeySchema>;

/** `replace` and `distrust` are never due by themselves: an operator asks for them. */
export type Step = 'create' | 'announce' | 'promote' | 'forget' | 'replace' | 'distrust';

/** What must be done to the ring now, or undefined. */
export function dueStep(ring: Ring | undefined, now: number, rotationMs: number): Step | undefined {
  if (!ring) return 'create';
  if (ring.next && now >= ring.next.from) return 'promote';
  if (!ring.next && now >= ring.current.from + rotationMs - LEAD_MS) return 'announce';
  if (ring.retiring.some(({ until }) => now >= until)) return 'forget';
  return undefined;
}

export const needsFreshKey = (step: Step): boolean => step !== 'promote' && step !== 'forget';

/** The ring after the step. `fresh` is a new key, for the steps that need one. */
export function stepped(ring: Ring | undefined, step: Step, now: number, fresh: SealedKey | undefined): Ring {
  if (step === 'create') return { revision: 0, current: { ...required(fresh), from: now }, retiring: [] };
  const { revision, current, next, retiring } = required(ring);
  const retired = [{ kid: current.kid, sealed: current.sealed, until: now + RETIRED_MS }, ...retiring];
  const after = defined({ revision: revision + 1, current, next, retiring });
  switch (step) {
    case 'announce':
      return { ...after, next: { ...required(fresh), from: now + LEAD_MS } };
    case 'promote':
      return { revision: after.revision, current: { ...required(next), from: now }, retiring: retired };
    case 'forget':
      return { ...after, retiring: retiring.filter(({ until }) => now < until) };
    // The announced key has signed nothing, and whatever cast doubt on the current one may have reached it too.
    case 'replace':
      return { revision: after.revision, current: { ...required(fresh), from: now }, retiring: retired };
    case 'distrust':
      return { revision: after.revision, current: { ...required(fresh), from: now }, retiring: [] };
    default:
      throw new Error('unknown step');
  }
}

/** Every key that is published, the current one first. */
export const sealedKeysOf = (ring: Ring): SealedKey[] => [
  ring.current,
  ...(ring.next ? [ring.next] : []),
  ...ring.retiring,
];

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('this step needs a key that is not there');
  return value;
}
