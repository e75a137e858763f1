import { readFile } from 'node:fs/promises';
import type { IdentitySource } from '../request.js';

/** Reads the token from a file each time, because Kubernetes, SPIFFE helpers and others replace it while the process runs. */
export const fromFile =
  (path: string): IdentitySource =>
  async () =>
    (await readFile(path, 'utf8')).trim();
