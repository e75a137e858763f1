/** The files of the store are for its owner alone: they say who does what, and whoever writes them decides what is alive. */
import { chmodSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Closes the directory and its files to everybody else, also where they were made open. A volume may belong to the platform,
 * which then guards it: its mode stays.
 */
export function keepPrivate(directory: string): void {
  for (const name of readdirSync(directory)) if (name.endsWith('.mdb')) chmodIfOurs(join(directory, name), 0o600);
  chmodIfOurs(directory, 0o700);
}

function chmodIfOurs(path: string, mode: number): void {
  try {
    chmodSync(path, mode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}
