/**
 * Requested access: `scope` and RAR `authorization_details` (RFC 9396), translated into access once, and back. The reader is
 * strict: a misspelt field is refused, because it could have been meant as a restriction.
 */
import { z } from 'zod';
import {
  isAction,
  isWithin,
  normalise,
  pairsOf,
  pathProblem,
  type Access,
  type TargetAccess,
} from '../domain/access.js';
import { BrokerError } from '../domain/errors.js';
import { HARD_LIMITS } from '../domain/limits.js';
import { parseStrictJson } from '../domain/strict-json.js';
import { DETAIL_TYPES, kindOfTarget } from './kinds.js';

/** RFC 9396 §2: all types of the broker have the same fields. An unknown type or field is refused, as §5 demands. */
export const detailSchema = z
  .strictObject({
    type: z.enum(DETAIL_TYPES).describe('The kind of target: `task_access` for an API, `aws_session` for an IAM role.'),
    locations: z.array(z.string()).length(1).describe('The `resource` of the target, and no other.'),
    identifier: z
      .string()
      .describe(
        'A resource path of the target, or a pattern: `*` stands for one segment, `**` at the end for any number.',
      ),
    actions: z.array(z.string()).min(1).max(HARD_LIMITS.pairsPerRequest).describe('What may be done with it.'),
  })
  .meta({ id: 'AuthorizationDetail', description: 'Some actions on one resource path of one target (RFC 9396).' });

type AuthorizationDetail = z.infer<typeof detailSchema>;

/** What each plain name in a scope stands for. */
export type ScopeNames = Readonly<Record<string, readonly Access[]>>;

/**
 * Returns the access of a scope. A scope is a list of `<resource path>:<action>`, separated by single spaces, each split at
 * its last colon, or of names that the target has for access.
 */
export function accessFromScope(scope: string, names: ScopeNames = {}): Access[] {
  const tokens = scope.split(' ', HARD_LIMITS.pairsPerRequest + 1);
  if (tokens.length > HARD_LIMITS.pairsPerRequest) throw tooManyPairs();
  return tokens.flatMap((token) => {
    const named = Object.hasOwn(names, token) ? names[token] : undefined;
    if (named) return named;
    const colon = token.lastIndexOf(':');
    if (colon < 1)
      throw refusedScope(
        `Each scope must read <path>:<action>${orOneOf(names)}; one has no ${colon === 0 ? 'path' : 'action'}.`,
      );
    const [path, action] = [token.slice(0, colon), token.slice(colon + 1)];
    // Elsewhere a scope begins with what may be done.
    if (isAction(path) && !isAction(action) && pathProblem(action) === undefined)
      throw refusedScope(`A scope reads <path>:<action>: write ${action}:${path}.`);
    return checked({ path, actions: [action] }, refusedScope);
  });
}

/** The names are in the metadata of the broker, which anybody may read. */
function orOneOf(names: ScopeNames): string {
  const all = Object.keys(names);
  if (all.length === 0) return '';
  return `, or be ${all.slice(0, NAMES_SHOWN).join(', ')}${all.length > NAMES_SHOWN ? ' or another name of the target' : ''}`;
}

const NAMES_SHOWN = 8;

/** Returns the names that the granted access covers whole. A stock server compares them as text. */
export function namesWithin(names: ScopeNames, target: string, granted: readonly Access[]): string[] {
  const ceiling = granted.map((access) => ({ target, ...access }));
  return Object.keys(names).filter((name) => isWithin(ceiling, target, names[name] ?? []));
}

/** @param text The parameter as it was sent: a JSON array of objects, all for `target`. */
export function accessFromDetails(text: string, target: string): Access[] {
  const entries = accessFromObjects(parseJson(text));
  if (entries.some((entry) => entry.target !== target)) {
    throw refusedDetails('Each authorization detail must name the requested resource as its only location.');
  }
  return entries.map(({ path, actions }) => ({ path, actions }));
}

/**
 * Returns the access of RAR objects that may name several targets, as in the ceiling of a task. Their number is looked at before
 * any of them, and the first mistake is the last thing that is read.
 */
export function accessFromObjects(value: unknown): TargetAccess[] {
  if (!Array.isArray(value) || value.length === 0) throw refusedDetails(mistakeAt([]));
  if (value.length > HARD_LIMITS.pairsPerRequest) throw tooManyPairs();
  return value.map((detail: unknown, index) => {
    const parsed = detailSchema.safeParse(detail);
    if (!parsed.success) throw firstMistake(parsed.error, index);
    return checked(entryOf(parsed.data), refusedDetails);
  });
}

function firstMistake({ issues: [issue] }: z.ZodError, index: number): BrokerError {
  const { code, path = [] } = issue ?? {};
  return code === 'too_big' && path[0] === 'actions' ? tooManyPairs() : refusedDetails(mistakeAt([index, ...path]));
}

function entryOf({ type, locations: [target = ''], identifier, actions }: AuthorizationDetail): TargetAccess {
  const kind = kindOfTarget(target);
  if (type !== kind.detailType)
    throw refusedDetails(`The type is "${kind.detailType}" where the location is ${kind.resourceNoun}.`);
  const problem = kind.detailProblem(target, identifier, actions);
  if (problem !== undefined) throw refusedDetails(problem);
  return { target, path: kind.toPath(identifier, actions), actions };
}

/** Returns the union of access in both forms. It throws if this is more than one request may ask for. */
export function uniteAccess(...parts: Access[][]): Access[] {
  const access = normalise(parts.flat());
  const pairs = pairsOf(access).length;
  if (pairs > HARD_LIMITS.pairsPerRequest) throw tooManyPairs();
  return access;
}

export function detailsOf(target: string, access: readonly Access[]): AuthorizationDetail[] {
  const kind = kindOfTarget(target);
  return access.map(({ path, actions }) => ({
    type: kind.detailType,
    locations: [target],
    identifier: kind.toIdentifier(path, target, actions),
    actions,
  }));
}

/**
 * Returns the part of the access that can be written as scope: an action with a colon cannot.
 * @param names the names that the target has for what was granted
 */
export const scopeOf = (access: readonly Access[], names: readonly string[] = []): string =>
  [
    ...pairsOf(access)
      .filter(({ action }) => !action.includes(':'))
      .map(({ path, action }) => `${path}:${action}`),
    ...names,
  ].join(' ');

function checked<A extends Access>(access: A, refused: (text: string) => BrokerError): A {
  const problem = pathProblem(access.path);
  if (problem !== undefined) throw refused(`A resource path ${problem}.`);
  if (!access.actions.every(isAction))
    throw refused('An action must start with a letter and continue with letters, digits, ".", "_", ":" or "-".');
  return access;
}

function parseJson(text: string): unknown {
  const json = parseStrictJson(text);
  if (typeof json === 'object') return json.value;
  switch (json) {
    case 'repeated':
      throw refusedDetails('A field of the authorization details is written twice.');
    case 'too many':
      throw tooManyPairs();
    case 'too deep':
      throw refusedDetails(mistakeAt([]));
    default:
      throw refusedDetails('The authorization_details must be a JSON array.');
  }
}

function mistakeAt(path: readonly PropertyKey[]): string {
  const where = path.length > 0 ? ` at ${path.map(String).join('.').slice(0, 64)}` : '';
  return `Each authorization detail has exactly type, one location, identifier and actions; there is a mistake${where}.`;
}

const tooManyPairs = () =>
  new BrokerError(
    'invalid_request',
    `At most ${HARD_LIMITS.pairsPerRequest} pairs of path and action fit one request.`,
    { retry: 'with-less' },
  );

const refusedScope = (text: string) => new BrokerError('invalid_scope', text);
const refusedDetails = (text: string) => new BrokerError('invalid_authorization_details', text);
