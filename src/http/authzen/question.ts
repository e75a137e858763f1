/**
 * What a question of AuthZEN 1.0 means here. The subject is a credential, or a party that is only named; the action is an action of
 * policy; the resource is a path at a target. Properties are what the caller says. Other fields are ignored, as the standard demands.
 */
import { z } from 'zod';
import type { Question, SubjectOfUse } from '../../credentials/use.js';
import { isAction, isPattern, pathProblem } from '../../domain/access.js';
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import type { Given } from '../../domain/party.js';
import { isId } from '../../domain/id.js';
import type { JsonObject } from '../../domain/json-object.js';
import { HARD_LIMITS } from '../../domain/limits.js';
import { entriesOf, membersOf } from '../../identity/claim-values.js';
import { partyFromId } from '../../identity/party-from-id.js';
import type { HttpDeps } from '../deps.js';
import type { Call } from '../wire/endpoint.js';
import { traceOf } from '../wire/noted.js';

const HEARD = 'policy hears it as `context.given`, if you may `assertProperties` on the target';
const isBounded = (given: JsonObject): boolean =>
  Object.values(given).flatMap(entriesOf).length <= HARD_LIMITS.propertyValues;
const tooMany = { error: `has more than ${HARD_LIMITS.propertyValues} values` };

const properties = z
  .record(z.string(), z.unknown())
  .refine(isBounded, tooMany)
  .exactOptional()
  .describe(`What you say of it: ${HEARD}. At most ${HARD_LIMITS.propertyValues} values.`);
const entity = { type: z.string(), id: z.string(), properties };

export const subjectInput = z
  .object(entity)
  .describe(
    '`type` `credential`: the credential, or its id (`crd_…`). Any other type with a credential in `context.access_token` or in the ' +
      'header `X-Access-Token`: the workload that holds it, or whom that serves. Without one: `workload`, `person` or `user`, by its id.',
  );
export const actionInput = z.object({ name: z.string(), properties }).describe('An action that policies know.');
export const resourceInput = z
  .object(entity)
  .describe('`type`: a target, by its `resource` or one of its `audiences`. `id`: a path at it, without patterns.');
export const contextInput = z
  .looseObject({ access_token: z.string().exactOptional().describe('The credential that was presented to you.') })
  .refine(isBounded, tooMany)
  .describe(`What you say of the request beside \`access_token\`: ${HEARD}.`);

export const questionInput = z.object({
  subject: subjectInput,
  action: actionInput,
  resource: resourceInput,
  context: contextInput.exactOptional(),
});

export type AuthzenQuestion = z.output<typeof questionInput>;

/** Throws `invalid_request` where it can mean nothing here. */
export function questionOf(
  deps: Pick<HttpDeps, 'targets' | 'settings'>,
  call: Pick<Call, 'headers' | 'requestId' | 'address'>,
  asked: AuthzenQuestion,
): Question {
  const { path, action, target } = accessOf(deps, asked);
  assertOneUse(path, action);
  return defined({
    ...subjectOf(deps, call, asked),
    target,
    path,
    action,
    given: givenIn(asked),
    trace: traceOf(call),
  });
}

/** The credential is no property: it must reach neither policy nor what remembers verdicts. */
function givenIn({ subject, action, resource, context = {} }: AuthzenQuestion): (() => Given) | undefined {
  const rest = Object.fromEntries(Object.entries(context).filter(([name]) => name !== 'access_token'));
  const said = [subject.properties, action.properties, resource.properties, rest];
  if (said.every((one = {}) => Object.keys(one).length === 0)) return undefined;
  return () => ({
    subject: membersOf(subject.properties),
    action: membersOf(action.properties),
    resource: membersOf(resource.properties),
    context: membersOf(rest),
  });
}

/** Throws `invalid_request` unless this is one action on one path. */
export function assertOneUse(path: string, action: string): void {
  const problem = isPattern(path) ? 'is a pattern' : pathProblem(path);
  if (problem !== undefined) throw wrong(`A resource path ${problem}.`);
  if (!isAction(action)) throw wrong('An action begins with a letter, and has letters, digits, ".", "_", ":" and "-".');
}

const wrong = (text: string) => new BrokerError('invalid_request', text);

/**
 * COAZ-MCP asks about the call of a tool without saying of which server. The credential says it, and whoever asks has compared the
 * audience, as every MCP server must.
 */
function accessOf(
  { targets }: Pick<HttpDeps, 'targets'>,
  { action: { name }, resource: { type, id } }: AuthzenQuestion,
): Pick<Question, 'path' | 'action' | 'target'> {
  if (type === 'tool' && name === 'tools/call' && !targets.has(type)) return { path: `tool/${id}`, action: 'execute' };
  return { path: id, action: name, target: targets.get(type)?.resource ?? type };
}

function subjectOf(
  { settings }: Pick<HttpDeps, 'settings'>,
  { headers }: Pick<Call, 'headers'>,
  { subject: { type, id }, context }: AuthzenQuestion,
): Pick<Question, 'subject' | 'takenFor'> {
  const sent = context?.access_token ?? headers['x-access-token'];
  const shown: SubjectOfUse | undefined = typeof sent === 'string' ? { token: sent } : undefined;
  if (type === 'credential') {
    const named = isId('crd', id) ? { credential: id } : { token: id };
    return { subject: shown ?? named, ...(shown && { takenFor: id }) };
  }
  if (shown) return { subject: shown, takenFor: id };
  if (type === 'workload' || type === 'person') return { subject: { party: partyFromId(settings.trust, type, id) } };
  if (type === 'user') return { subject: { party: userOf(settings.trust, id) } };
  throw wrong(
    'Send the credential as context.access_token, or a subject of the type credential, workload, person or user.',
  );
}

/** Without a trust name it is a person of the only issuer of persons: where there are several, nobody knows whom it means. */
function userOf(trust: HttpDeps['settings']['trust'], id: string) {
  const issuers = trust.filter((one) => one.kind === 'oidc' && one.represents === 'person');
  const [only] = issuers;
  const isPlain = !issuers.some(({ name }) => id.startsWith(`${name}:`));
  return partyFromId(trust, 'person', only && issuers.length === 1 && isPlain ? `${only.name}:${id}` : id);
}
