/** Finds identities that must be unique and are not: one finding for each occurrence after the first. */
import type { Finding } from './problem.js';

/** A place in the configuration, and an identity that no other place may have. */
export type Claim = [path: (string | number)[], identity: string];

export function repeated(claims: Claim[], reason: string): Finding[] {
  const isLater = ([, identity]: Claim, index: number): boolean =>
    claims.findIndex(([, other]) => other === identity) < index;
  return claims.filter(isLater).map(([path]) => ({ path, reason }));
}

/**
 * Returns the claims of a list whose entries must differ in one field. Entries that did not parse are undefined, so the
 * others keep their place.
 */
export const claimsOf = <F extends string>(
  at: string[],
  entries: readonly (Record<F, string> | undefined)[],
  field: F,
): Claim[] => entries.flatMap((entry, index) => (entry ? [[[...at, index, field], entry[field]] satisfies Claim] : []));
