/** Turns claims of a token into names, and into text for policy. */
import { covers } from '../domain/access.js';
import { CLAIM_CHARACTERS_MAX, isName, nameProblem } from '../domain/name.js';
import { isObject, type JsonObject } from './json-object.js';
import { Refused } from './token.js';

/**
 * Returns the value of a claim that can be revoked by name. Throws Refused for anything else: a party without it would escape
 * every hold on that name.
 * @param what it names, with its article
 */
export function nameFrom(value: unknown, what: string, most = CLAIM_CHARACTERS_MAX): string {
  if (typeof value !== 'string') throw new Refused(`must have ${what}`);
  const problem = nameProblem(value, most);
  if (problem !== undefined) throw new Refused(`has ${what} that ${problem}`);
  return value;
}

/**
 * Throws Refused unless each required claim has one of its values. Of a claim that is a list, one entry is enough. The sentence
 * names the claim, and none of the values: they may name customers.
 */
export function assertRequired(claims: JsonObject, required: RequiredClaims = {}): void {
  for (const [name, patterns] of Object.entries(required)) {
    const value = claimAt(claims, name);
    const texts = (Array.isArray(value) ? value : [value]).flatMap((entry) => textOf(entry) ?? []);
    if (!texts.some((text) => patterns.some((pattern) => matches(pattern, text)))) {
      throw new Refused(`must have a claim ${name} with a value that is accepted here`);
    }
  }
}

type RequiredClaims = Readonly<Record<string, readonly string[]>>;

/** Returns whether the text is the value, or fits the pattern. `*` stands for one segment that is not empty, `**` for several. */
const matches = (pattern: string, text: string): boolean =>
  covers(pattern, text) && emptySegments(pattern) === emptySegments(text);

const emptySegments = (text: string): number => text.split('/').filter((segment) => segment === '').length;

/** Returns the named claims as tags. Text, booleans and exact integers become tags; lists and objects do not. */
export function tagsFrom(claims: JsonObject, names: readonly string[]): Readonly<Record<string, string>> {
  const found = names.flatMap((name) => {
    const text = textOf(claimAt(claims, name));
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(found);
}

/**
 * Returns the names in a claim that is a list. A single text counts as a list of one. What is no name is left out, and no policy
 * can name it (`literalProblem` in policy/cedar/load-policies.ts). To refuse the token would be a weapon: in many directories
 * anybody may make a group and put others into it.
 */
export function listFrom(claims: JsonObject, name: string): readonly string[] {
  const value = claimAt(claims, name);
  const entries: unknown[] = Array.isArray(value) ? value : [value];
  return entries.filter((entry) => typeof entry === 'string' && isName(entry, CLAIM_CHARACTERS_MAX)) as string[];
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
