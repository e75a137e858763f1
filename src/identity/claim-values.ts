/** Claims become text that policy and the audit log read. */
import { isObject, type JsonObject } from './json-object.js';
import { hasUnprintable } from '../domain/text.js';

/** A name that can stand in an id: 1–255 visible characters. */
export function nameFrom(value: unknown): string | undefined {
  const fits = typeof value === 'string' && value.trim() !== '' && value.length <= 255 && !hasUnprintable(value);
  return fits ? value : undefined;
}

/** The named claims that are text, booleans or exact integers; lists and objects are left out. */
export function tagsFrom(claims: JsonObject, names: readonly string[]): Readonly<Record<string, string>> {
  const found = names.flatMap((name) => {
    const text = textOf(claimAt(claims, name));
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(found);
}

/** The texts in a claim that lists them; a single text counts as a list of one. */
export function listFrom(claims: JsonObject, name: string): readonly string[] {
  const value = claimAt(claims, name);
  const entries: unknown[] = Array.isArray(value) ? value : [value];
  return entries.flatMap((entry) => nameFrom(entry) ?? []);
}

/** A top-level claim, or with a leading slash a JSON pointer (RFC 6901) through objects. Own members only. */
export function claimAt(claims: JsonObject, name: string): unknown {
  const path = name.startsWith('/') ? name.slice(1).split('/').map(unescapePointer) : [name];
  let value: unknown = claims;
  for (const member of path) {
    if (!isObject(value) || !Object.hasOwn(value, member)) return undefined;
    value = value[member];
  }
  return value;
}

const unescapePointer = (segment: string): string => segment.replaceAll('~1', '/').replaceAll('~0', '~');

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  // Beyond 2^53 two ids read as the same number: such a claim is no tag rather than a wrong one.
  return typeof value === 'boolean' || Number.isSafeInteger(value) ? String(value) : undefined;
}
