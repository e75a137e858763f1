/** What the configuration says of a team. Names of teams are chosen by others: `constructor` is one like any other. */
import type { Settings } from './deps.js';

type Owners = Settings['owners'];

/** Returns undefined where it says nothing of that team. */
export const teamOf = (owners: Owners, name: string): Owners[string] | undefined =>
  Object.hasOwn(owners, name) ? owners[name] : undefined;
