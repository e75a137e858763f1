/**
 * The id of a workload that outlasts its runs: the values of the claims in `trust[].workload`, joined so that no two lists of
 * values make the same id.
 */
import type { OidcTrust } from '../config/trust-schema.js';
import { sha256 } from '../domain/digest.js';
import { isName, NAME_CHARACTERS_MAX } from '../domain/name.js';

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

/**
 * Returns what a `sub` is called here that no id is made of: itself where it is a name, and `sha256:` with its digest where it is
 * none, because it is too long or has other letters than ASCII. One that reads like a digest is digested too: otherwise somebody
 * could have a run that is called like the run of another.
 */
export function subjectName({ name }: Pick<OidcTrust, 'name'>, sub: string): string {
  const isOwnName = isName(sub, NAME_CHARACTERS_MAX - name.length - 1) && !sub.startsWith(DIGEST);
  return `${name}:${isOwnName ? sub : `${DIGEST}${sha256(sub)}`}`;
}

/** Returns whether a `sub` could be called so. */
export const isSubjectName = (text: string): boolean =>
  isName(text) && (!text.startsWith(DIGEST) || /^[\w-]{43}$/.test(text.slice(DIGEST.length)));

const DIGEST = 'sha256:';

/** Returns the values of an id, or undefined if the text is not what so many values could have made. */
export function separated(text: string, count: number): string[] | undefined {
  if (count === 1) return [text];
  const values = text.split(SEPARATOR).map(unescaped);
  return values.length === count && joined(values) === text ? values : undefined;
}

const escaped = (value: string): string => value.replaceAll('%', '%25').replaceAll(SEPARATOR, '%3A');
const unescaped = (value: string): string => value.replaceAll('%3A', SEPARATOR).replaceAll('%25', '%');
