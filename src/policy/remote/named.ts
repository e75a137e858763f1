/** What another engine calls the policies that decided. */
import { sha256 } from '../../domain/digest.js';
import { isName } from '../../domain/name.js';

const CHARACTERS_MAX = 255;

/**
 * Returns one text for the revisions of all bundles and the digest that the policies themselves name; undefined where nothing says
 * which policies these are. A bundle without a revision says nothing: it can change unnoticed.
 */
export function namedBy(
  revisions: readonly (readonly [bundle: string, revision: string])[],
  digest: string | undefined,
): string | undefined {
  const isSaid = revisions.length > 0 && revisions.every(([, revision]) => revision !== '');
  const parts = [
    ...(isSaid ? revisions.map(([bundle, revision]) => `${bundle}=${revision}`).sort() : []),
    ...(digest === undefined ? [] : [`digest=${digest}`]),
  ];
  if (parts.length === 0) return undefined;
  const named = parts.join(' ');
  // The audit log prints it as it is.
  return isName(named, CHARACTERS_MAX) ? named : `sha256=${sha256(named)}`;
}
