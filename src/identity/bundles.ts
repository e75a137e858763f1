/** The bundles of all trust domains, and a watch over them: they are read although nobody asks, and what is wrong is told. */
import type { SpiffeTrust, Trust } from '../config/trust-schema.js';
import type { Clock } from '../domain/time.js';
import { bundleSource } from './bundle-source.js';
import type { Surroundings } from './key-source.js';
import { createTrustKeys, type TrustKeys } from './trust-keys.js';

export interface WatchedBundle {
  keys: TrustKeys;
  /** Reads the bundle where it is due, and returns what an operator should know; undefined where all is well. */
  look(): Promise<unknown>;
}

/** Returns the bundles by the names of their trust entries. Nothing is read before it is asked for. */
export const openBundles = (
  trust: readonly Trust[],
  around: Surroundings & { clock: Clock },
): ReadonlyMap<string, WatchedBundle> =>
  new Map(trust.flatMap((entry) => (entry.kind === 'spiffe' ? [[entry.name, openBundle(entry, around)]] : [])));

export function openBundle(trust: SpiffeTrust, around: Surroundings & { clock: Clock }): WatchedBundle {
  const source = bundleSource(trust, around);
  const keys = createTrustKeys(source, 'spiffe-bundle', around.clock);
  return {
    keys,
    // A trust domain replaces its authorities. A broker that slept through all of that could no longer verify the endpoint.
    async look() {
      try {
        await keys.current();
        return await source.trouble(around.clock);
      } catch (error) {
        return error;
      }
    },
  };
}
