/** Turns claims of a token into text for policy and for the audit log. */
import { hasUnprintable } from '../domain/text.js';
import { isObject, type JsonObject } from './json-object.js';

/** Returns the value as a name that may be part of an id: 1–255 visible characters. Undefined for anything else. */
export function nameFrom(value: unknown): string | undefined {
  const fits = typeof value === 'string' && value.trim() !== '' && value.length <= 255 && !hasUnprintable(value);
  return fits ? value : undefined;
}

/** Returns the named claims as tags. Text, booleans and exact integers become tags; lists and objects do not. */
export function tagsFrom(claims: JsonObject, names: readonly string[]): Readonly<Record<string, string>> {
  const found = names.flatMap((name) => {
    const text = textOf(claimAt(claims, name));
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(found);
}

/** Returns the names in a claim that is a list. A single text counts as a list of one. */
export function listFrom(claims: JsonObject, name: string): readonly string[] {
  const value = claimAt(claims, name);
  const entries: unknown[] = Array.isArray(value) ? value : [value];
  return entries.flatMap((entry) => nameFrom(entry) ?? []);
}

/**
 * Returns the value of a top-level claim, or of a JSON pointer (RFC 6901) if the name begins with a slash. Only own members
 * of objects are read.
 */
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
  // Two integers above 2^53 can parse to the same number: no tag is safer than the tag of somebody else.
  return typeof value === 'boolean' || Number.isSafeInteger(value) ? String(value) : undefined;
}
