/**
 * The id of a workload that outlasts its runs: the values of the claims in `trust[].workload`, joined so that no two lists of
 * values make the same id.
 */
import type { OidcTrust } from '../config/trust-schema.js';

const SEPARATOR = ':';

/** Returns whether the ids of this entry are made of something else than `sub` alone. */
export const hasLastingIds = ({ workload }: Pick<OidcTrust, 'workload'>): boolean =>
  workload.length > 1 || workload[0] !== 'sub';

/**
 * Returns the values with a colon between them. One value stays as it is. Of several, `:` is written `%3A` and `%` is written
 * `%25` in each: otherwise `a:b` and `c` would be the same workload as `a` and `b:c`.
 */
export const joined = (values: readonly string[]): string =>
  values.length === 1 ? values.join('') : values.map(escaped).join(SEPARATOR);

/** Returns the values of an id, or undefined if the text is not what so many values could have made. */
export function separated(text: string, count: number): string[] | undefined {
  if (count === 1) return [text];
  const values = text.split(SEPARATOR).map(unescaped);
  return values.length === count && joined(values) === text ? values : undefined;
}

const escaped = (value: string): string => value.replaceAll('%', '%25').replaceAll(SEPARATOR, '%3A');
const unescaped = (value: string): string => value.replaceAll('%3A', SEPARATOR).replaceAll('%25', '%');
