/** What must stand once and stands again: a finding for each time after the first. */
import type { Finding } from './problem.js';

export type Claim = [path: (string | number)[], identity: string];

export function repeated(claims: Claim[], reason: string): Finding[] {
  const isLater = ([, identity]: Claim, index: number): boolean =>
    claims.findIndex(([, other]) => other === identity) < index;
  return claims.filter(isLater).map(([path]) => ({ path, reason }));
}

/** What a list has one of each. Entries that are not sound are undefined, so that the others keep their place. */
export const claimsOf = <F extends string>(
  at: string[],
  entries: readonly (Record<F, string> | undefined)[],
  field: F,
): Claim[] => entries.flatMap((entry, index) => (entry ? [[[...at, index, field], entry[field]] satisfies Claim] : []));
