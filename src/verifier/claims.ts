/**
 * The claims of an access token as a verifier hands them on. They are the broker's own (src/protocol/access-token.ts), checked by
 * hand, because a verifier brings no library for it.
 */
import { covers as coversPattern, isAction, isPattern, pathProblem } from '../domain/access.js';
import { isObject } from '../domain/json-object.js';

/** RFC 9396: some actions on one resource path (which may be a pattern) of one target. */
export interface GrantedAccess {
  type: string;
  locations: string[];
  identifier: string;
  actions: string[];
}

/** Times are whole seconds since 1970-01-01T00:00:00Z. A newer broker may add claims. */
export interface Claims {
  iss: string;
  /** Whom the task serves; the workload itself if nobody else. */
  sub: string;
  /** The workload that holds the credential. */
  client_id: string;
  aud: string;
  iat: number;
  exp: number;
  /** The id of the credential. */
  jti: string;
  scope?: string | undefined;
  authorization_details: GrantedAccess[];
  /** Who acts for whom it is for, if somebody does. Whoever handed the work on to that one stands in its `act`, and so on. */
  act?: Actor | undefined;
  /** The root task: the same in all credentials below it. */
  txn: string;
  task: { id: string; lineage: string[]; purpose: string };
  origin: { workload: string; issuer: string; owner?: string | undefined; principal: string };
  /** What the credential hangs on, as hashes of 16 characters. */
  causes: string[];
  /** `<generation>.<sequence>` of the revocation log at its birth. */
  epoch: string;
}

/** RFC 8693 §4.1. Only the outermost one has the credential. */
interface Actor {
  sub: string;
  act?: Actor | undefined;
}

/** What a request is about to do: one action on one path under the target, such as `read` on `incident/4711`. */
export interface Needed {
  resource: string;
  action: string;
}

/** What a verifier knows how to read. Details of other types grant nothing here. */
const DETAIL_TYPE = 'task_access';

/** Returns whether the credential lets its holder do that. A path that is none, or is a pattern, is covered by nothing. */
export function covers({ aud, authorization_details: granted }: Claims, { resource, action }: Needed): boolean {
  if (!isPath(resource)) return false;
  return granted.some(
    ({ type, locations, identifier, actions }) =>
      type === DETAIL_TYPE &&
      locations.length === 1 &&
      locations[0] === aud &&
      actions.includes(action) &&
      coversPattern(identifier, resource),
  );
}

/**
 * Returns what would have been enough, as `<path>:<action>`; undefined if no credential has it. Both may be made of the URL of a
 * request, and the answer goes into a header: a path of the broker has no quotation mark, space or line break.
 */
export const scopeOf = ({ resource, action }: Needed): string | undefined =>
  isPath(resource) && isAction(action) ? `${resource}:${action}` : undefined;

/** A path of one thing, and no pattern. */
const isPath = (resource: string): boolean => pathProblem(resource) === undefined && !isPattern(resource);

/** Returns whether a payload has every claim, each of its type. One that has not is no credential of this broker. */
export function isClaims(payload: unknown): payload is Claims {
  if (!isObject(payload)) return false;
  const { scope, act, task, origin, causes, epoch, authorization_details: granted, iat, exp } = payload;
  return (
    areTexts(payload, ['iss', 'sub', 'client_id', 'aud', 'jti', 'txn']) &&
    Number.isFinite(iat) &&
    Number.isFinite(exp) &&
    isOptionalText(scope) &&
    Array.isArray(granted) &&
    granted.every(isGranted) &&
    (act === undefined || isActor(act)) &&
    isObject(task) &&
    areTexts(task, ['id', 'purpose']) &&
    isTexts(task['lineage']) &&
    isObject(origin) &&
    areTexts(origin, ['workload', 'issuer', 'principal']) &&
    isOptionalText(origin['owner']) &&
    isTexts(causes) &&
    // Without a cause, nothing could end it.
    causes.length > 0 &&
    typeof epoch === 'string' &&
    /^[\w-]+\.\d{1,15}$/.test(epoch)
  );
}

const isActor = (act: unknown): boolean =>
  isObject(act) && areTexts(act, ['sub']) && (act['act'] === undefined || isActor(act['act']));

const isGranted = (detail: unknown): boolean =>
  isObject(detail) &&
  areTexts(detail, ['type', 'identifier']) &&
  isTexts(detail['locations']) &&
  isTexts(detail['actions']);

const areTexts = (object: Readonly<Record<string, unknown>>, names: readonly string[]): boolean =>
  names.every((name) => typeof object[name] === 'string');

const isOptionalText = (value: unknown): boolean => value === undefined || typeof value === 'string';

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');
