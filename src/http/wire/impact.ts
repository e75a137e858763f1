/** How much a revocation hit, as answers say it. */
import type { Affected } from '../../ledger/impact.js';

export const countsOf = ({ credentials, tasks, byTarget, byOwner }: Affected) => ({
  credentials,
  tasks,
  byTarget: Object.fromEntries(Object.entries(byTarget).map(([target, { count }]) => [target, count])),
  byOwner,
});
