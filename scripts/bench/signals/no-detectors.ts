/** Replaces `src/detectors/detectors.ts`: detects nothing. */
import type { Detectors } from '../../../src/detectors/detectors.js';

const quiet = () => undefined;

export const openDetectors = (): Detectors => ({
  observer: { granted: quiet, refused: quiet, lockedOut: quiet, deadUse: quiet, presented: quiet, unverified: quiet },
  run: () => Promise.resolve(),
});
