/** Looks at the bundles of all trust domains again and again, for readiness to tell what is wrong with them. */
import type { WatchedBundle } from '../identity/bundles.js';
import { sentenceOf } from '../telemetry/safe-error.js';

export interface BundleWatch {
  look(): Promise<void>;
  /** What is wrong, by the names of the trust entries, as of the latest look. */
  troubles: ReadonlyMap<string, string>;
}

export function watchBundles(bundles: ReadonlyMap<string, WatchedBundle>): BundleWatch {
  const troubles = new Map<string, string>();
  return {
    troubles,
    async look() {
      const lookAt = async ([name, bundle]: [string, WatchedBundle]) => {
        const trouble = await bundle.look();
        if (trouble === undefined) troubles.delete(name);
        else troubles.set(name, sentenceOf(trouble));
      };
      await Promise.all([...bundles].map(lookAt));
    },
  };
}
