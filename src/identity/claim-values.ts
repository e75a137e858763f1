/** Turns claims of a token into names, and into text and lists for policy. docs/configuration.md has the table of what becomes what. */
import { covers } from '../domain/access.js';
import { defined } from '../domain/defined.js';
import { CLAIM_CHARACTERS_MAX, isName, nameProblem } from '../domain/name.js';
import type { Known } from '../domain/party.js';
import { isObject, type JsonObject } from '../domain/json-object.js';
import { joined } from './lasting-id.js';
import { Refused } from './token.js';

/**
 * Returns the value of a claim that can be revoked by name. Throws Refused for anything else: a party without it would escape
 * every hold on that name.
 * @param what it names, with its article
 */
export function nameFrom(value: unknown, what: string, most = CLAIM_CHARACTERS_MAX): string {
  const text = textFrom(value, what);
  const problem = nameProblem(text, most);
  if (problem !== undefined) throw new Refused(`has ${what} that ${problem}`);
  return text;
}

/** Returns a claim that is text. Throws Refused for anything else. */
export function textFrom(value: unknown, what: string): string {
  if (value === undefined) throw new Refused(`must have ${what}`);
  if (typeof value !== 'string') throw new Refused(`has ${what} that is not a text`);
  return value;
}

/**
 * Returns which run the token says it belongs to; undefined where it says none and the entry allows that. Anything but a text or
 * an exact integer is refused: two runs must not share a task because what names them could not be read.
 */
export function runFrom(claims: JsonObject, rules: RunRules | undefined): string | undefined {
  if (rules === false) return undefined;
  const { claim, ifAbsent } = rules ?? ownRun(claims);
  const values = claim.map((name) => ({ name, value: claimAt(claims, name) }));
  if (ifAbsent === 'none' && values.every(({ value }) => value === undefined)) return undefined;
  const texts = values.map(({ name, value }) =>
    nameFrom(Number.isSafeInteger(value) ? String(value) : value, `a claim ${name} for its run`),
  );
  return nameFrom(joined(texts), 'a run made of trust[].run');
}

/** Where no claim is configured, who makes assertions for this broker says the run in a claim of that name. */
const ownRun = (claims: JsonObject) =>
  ({ claim: [Object.hasOwn(claims, 'run') ? 'run' : 'task'], ifAbsent: 'none' }) as const;

/** False: no token of the issuer names a run. */
type RunRules = false | { claim: readonly string[]; ifAbsent: 'refuse' | 'none' };

/** Who may act for a person, as their token says (RFC 8693 §4.4). Without `iss` the subject is a name that needs no issuer. */
export interface NamedActor {
  sub: string;
  iss?: string;
}

/** Returns whom `may_act` names; undefined where the token does not say. What cannot be read is refused: it would exclude somebody. */
export function actorFrom({ may_act: named }: JsonObject): NamedActor | undefined {
  if (named === undefined) return undefined;
  if (!isObject(named)) throw new Refused('has a may_act that is no object');
  const { sub, iss } = named;
  const issuer = iss === undefined ? undefined : textFrom(iss, 'an issuer in may_act');
  return defined({ sub: textFrom(sub, 'a subject in may_act'), iss: issuer });
}

/**
 * Throws Refused unless each required claim has one of its values. Of a claim that is a list, one entry is enough. The sentence
 * names the claim, and none of the values: they may name customers.
 */
export function assertRequired(claims: JsonObject, required: RequiredClaims = {}): void {
  for (const [name, patterns] of Object.entries(required)) {
    const texts = entriesOf(claimAt(claims, name)).flatMap((entry) => textOf(entry) ?? []);
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

/** What a token says in a claim: nothing, something that cannot be kept whole, or a text or a list of texts. */
type Reading = { kind: 'absent' | 'incomplete' } | { kind: 'whole'; value: string | readonly string[] };

/**
 * Returns what the token says in a claim. Text, booleans and exact integers are text, and lists of them are lists. Everything else
 * is incomplete: an object, a fraction, null, an integer that JSON readers round, text that is no Unicode, a list with one of these in
 * it, and what the issuer left out because it was too large. So nothing that a token does not say whole looks like nothing.
 */
export function readClaim(claims: JsonObject, name: string): Reading {
  if (isAbbreviated(claims, name)) return { kind: 'incomplete' };
  return readValue(claimAt(claims, name));
}

function readValue(value: unknown): Reading {
  if (value === undefined) return { kind: 'absent' };
  const texts = entriesOf(value).map(textOf);
  if (!texts.every((text) => text !== undefined)) return { kind: 'incomplete' };
  const [text] = texts;
  return { kind: 'whole', value: Array.isArray(value) || text === undefined ? texts : text };
}

/**
 * Returns whether the issuer says that the claim is elsewhere (OpenID Connect Core §5.6.2), or that there are groups which the
 * token leaves out: Entra does both where a person is in more groups than fit.
 */
function isAbbreviated(claims: JsonObject, name: string): boolean {
  const [member = ''] = pathOf(name);
  const { _claim_names: elsewhere, hasgroups } = claims;
  if (isObject(elsewhere) && Object.hasOwn(elsewhere, member)) return true;
  return member === 'groups' && claims['groups'] === undefined && hasgroups !== undefined && hasgroups !== false;
}

/** Returns the named claims for policy, and the names of those that are there and cannot be kept whole. */
export const knownFrom = (claims: JsonObject, names: readonly string[]): Known =>
  wholeOnes(names.map((name) => [name, readClaim(claims, name)]));

/** Returns the members of an object for policy, by the rules for claims. A name that is no Unicode is none for policy either. */
export const membersOf = (object: JsonObject = {}): Known =>
  wholeOnes(
    Object.entries(object)
      .filter(([name]) => isUnicode(name))
      .map(([name, value]) => [name, readValue(value)]),
  );

function wholeOnes(readings: readonly [name: string, Reading][]): Known {
  const known: [name: string, value: string | readonly string[]][] = [];
  const unread: string[] = [];
  for (const [name, reading] of readings) {
    if (reading.kind === 'whole') known.push([name, reading.value]);
    else if (reading.kind === 'incomplete') unread.push(name);
  }
  return { claims: Object.fromEntries(known), unread };
}

/** What a claim that lists groups means where it is not there, or not whole. */
interface GroupRules {
  claim: string;
  ifAbsent: 'refuse' | 'none';
  ifIncomplete: 'refuse' | 'keep';
}

/**
 * Returns the groups of a person. A token that does not say them all is refused, unless the entry says otherwise: whoever is in
 * too many groups would slip past every `forbid` on one. What is no name is left out and is no reason to refuse, because no policy
 * can name it (`literalProblem` in policy/cedar/load-policies.ts), and because to refuse would be a weapon: in many directories
 * anybody may make a group and put others into it.
 */
export function groupsFrom(claims: JsonObject, { claim, ifAbsent, ifIncomplete }: GroupRules): Groups {
  const { kind } = readClaim(claims, claim);
  if (kind === 'absent') {
    if (ifAbsent === 'refuse') throw new Refused(`must say the groups of the person in ${claim}`);
    return { groups: [], isWhole: true };
  }
  if (kind === 'incomplete' && ifIncomplete === 'refuse') {
    throw new Refused(`does not say all groups of the person in ${claim}`);
  }
  const texts = entriesOf(claimAt(claims, claim)).map(textOf);
  const groups = texts.filter((text) => text !== undefined && isName(text, CLAIM_CHARACTERS_MAX)) as string[];
  return { groups, isWhole: kind !== 'incomplete' && groups.length === texts.length };
}

interface Groups {
  groups: string[];
  /** Whether nothing of the claim was left out. */
  isWhole: boolean;
}

/** A single value counts as a list of one. */
export const entriesOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

/**
 * Returns the value of a top-level claim, or of a JSON pointer (RFC 6901) if the name begins with a slash. Only own members
 * of objects are read.
 */
export function claimAt(claims: JsonObject, name: string): unknown {
  let value: unknown = claims;
  for (const member of pathOf(name)) {
    if (!isObject(value) || !Object.hasOwn(value, member)) return undefined;
    value = value[member];
  }
  return value;
}

const pathOf = (name: string): string[] =>
  name.startsWith('/') ? name.slice(1).split('/').map(unescapePointer) : [name];

const unescapePointer = (segment: string): string => segment.replaceAll('~1', '/').replaceAll('~0', '~');

const isUnicode = (text: string): boolean => !/\p{Surrogate}/u.test(text);

function textOf(value: unknown): string | undefined {
  // Half a pair of UTF-16 is no Unicode: no policy can name it, and Cedar cannot read it.
  if (typeof value === 'string') return isUnicode(value) ? value : undefined;
  // Two integers above 2^53 can parse to the same number: no tag is safer than the tag of somebody else.
  return typeof value === 'boolean' || Number.isSafeInteger(value) ? String(value) : undefined;
}
