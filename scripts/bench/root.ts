/** Paths in the repository. This file runs compiled, from dist/scripts/bench. */
import { fileURLToPath } from 'node:url';

export const fromRoot = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
