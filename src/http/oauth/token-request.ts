/**
 * Translates the form of POST /token into the broker's own terms: the proofs first, and once these are verified the request.
 * Every mistake has its own code and sentence.
 */
import { z } from 'zod';
import type { Proofs } from '../../authorization/requester.js';
import type { CredentialRequest } from '../../credentials/request.js';
import { isWithin, normalise, type Access, type TargetAccess } from '../../domain/access.js';
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import type { Task } from '../../domain/task.js';
import type { IdJag } from '../../identity/id-jag.js';
import type { Found } from '../../ledger/credentials.js';
import { demanded, demandedToken, type Form as FormOf } from '../wire/body.js';
import { clientForm } from '../wire/authenticate.js';
import type { Call } from '../wire/endpoint.js';
import { idempotencyKeyOf, isPrintable } from '../wire/fields.js';
import { CLIENT_CREDENTIALS, DEFERRED, JWT_BEARER, JWT_TYPE, TOKEN_EXCHANGE } from '../../protocol/oauth.js';
import { kindOfTarget } from '../../targets/kinds.js';
import { targetsWithScopes, type NamedTarget } from '../../targets/names.js';
import { accessFromDetails, accessFromScope, uniteAccess } from '../../targets/requested-access.js';
import { grantedBy } from './granted-by.js';

const presentedType = z
  .string()
  .describe(`What the token is: \`${JWT_TYPE}\`, or a type of RFC 8693 that it is as well.`);

export const tokenForm = z.object({
  grant_type: z
    .enum([TOKEN_EXCHANGE, JWT_BEARER, CLIENT_CREDENTIALS, DEFERRED])
    .describe('[Which](clients.md#which-grant).'),
  subject_token: z
    .string()
    .exactOptional()
    .describe(
      'Of token exchange: the identity of the workload; or of the person, with the workload as actor; or [a credential that is handed on](delegation.md).',
    ),
  subject_token_type: presentedType.exactOptional(),
  actor_token: z
    .string()
    .exactOptional()
    .describe('The identity of the workload that acts: for the person, or with the credential that is handed on.'),
  actor_token_type: presentedType.exactOptional(),
  assertion: z
    .string()
    .exactOptional()
    .describe('Of `jwt-bearer`: the identity of the workload (RFC 7523 §2.1), or an ID-JAG.'),
  resource: z.string().exactOptional().describe('The target. A credential is for one.'),
  audience: z.string().exactOptional().describe('The same, in place of `resource` or beside it.'),
  scope: z
    .string()
    .exactOptional()
    .describe(
      'The access: `<path>:<action>`, several with a space between them. This, `authorization_details`, or both.',
    ),
  authorization_details: z
    .string()
    .meta({ contentMediaType: 'application/json' })
    .exactOptional()
    .describe('The access as a JSON list of `AuthorizationDetail`.'),
  purpose: z
    .string()
    .meta({ minLength: 1, maxLength: 256 })
    .exactOptional()
    .describe('What it is for, in words: a task is opened for it. Send this, or `task_id`.'),
  task_id: z.string().exactOptional().describe('The open task under which the credential is asked for.'),
  lifetime: z
    .string()
    .meta({ type: 'integer', minimum: 1 })
    .exactOptional()
    .describe('So many seconds at most. Default: [`lifetimes.credential`](configuration.md).'),
  completion_mode: z
    .string()
    .exactOptional()
    .describe(
      '`deferred`: where people must agree first, the refusal has a `deferral_code` (Deferred Token Response).',
    ),
  deferral_code: z
    .string()
    .exactOptional()
    .describe(
      'Of `deferred`: what was got for it. The client authenticates itself; nothing of the request is sent again.',
    ),
  requested_token_type: z.string().exactOptional().describe('Need not be sent; if it is, it fits the kind of target.'),
  ...clientForm,
});

export type TokenForm = FormOf<keyof typeof tokenForm.shape>;
type Form = TokenForm;

export const GRANT_TYPES = tokenForm.shape.grant_type.options;

/** Of the grant of the Deferred Token Response, the code is the whole request. */
type ShowingGrant = Exclude<(typeof GRANT_TYPES)[number], typeof DEFERRED>;

/** What each grant shows beside the client, which may authenticate itself with any of them. */
const GRANTS: Readonly<Record<ShowingGrant, (form: Form) => Proofs>> = {
  [TOKEN_EXCHANGE]: (form) =>
    defined({ subject: presented(form, 'subject_token'), actor: presentedIfSent(form, 'actor_token') }),
  [JWT_BEARER]: (form) => ({ assertion: demandedToken(form, 'assertion') }),
  [CLIENT_CREDENTIALS]: () => ({}),
};

export function grantOf(form: Form): (typeof GRANT_TYPES)[number] {
  const sent = demanded(form, 'grant_type');
  const grant = GRANT_TYPES.find((one) => one === sent);
  if (grant) return grant;
  throw new BrokerError('unsupported_grant_type', `The grant_type must be one of: ${GRANT_TYPES.join(', ')}.`);
}

/** Returns whether whoever asks can wait for an answer that is not there yet. */
export const isDeferrable = (form: Form): boolean =>
  form.get('completion_mode')?.split(' ').includes('deferred') ?? false;

/** Returns the tokens of the grant. None of them is verified yet. */
export function proofsOf(form: Form, grant: ShowingGrant): Proofs {
  const shown = GRANTS[grant](form);
  // Whoever shows the token of a person means that person. Without it the workload would get what the person may not have.
  const ignored = form.unread().find((name) => SHOWN.includes(name));
  if (ignored === undefined) return shown;
  throw refused(`The parameter ${ignored} belongs to another grant than ${grant}.`);
}

/** Tokens that a request shows beside the proof of its client. */
const SHOWN: readonly string[] = ['subject_token', 'actor_token', 'assertion'];

interface Around extends Pick<Call, 'headers'> {
  /** By all their names. */
  targets: ReadonlyMap<string, NamedTarget>;
  idJag: IdJag | undefined;
  /** The credential that is handed on: what the request leaves out is as it is there. */
  handed?: Found | undefined;
}

export function credentialRequestOf(form: Form, { headers, targets, idJag, handed }: Around): CredentialRequest {
  const target = targetOf(form, targets, handed ? [handed.credential.target] : idJag?.resources);
  const granted = idJag && grantedBy(idJag, target);
  // Without access a credential is handed on whole: its access is the ceiling of the task.
  const access = handed && !asksAccess(form) ? undefined : accessOf(form, target, granted);
  // An ID-JAG that names a target alone grants no other, also not later by the task: it has what was asked for first.
  const ceiling = granted ?? (idJag?.resources && access?.map((one) => ({ target: target.resource, ...one })));
  const requested = defined({
    target: target.resource,
    access,
    under: underOf(form, target, handed?.task),
    ...lifetimeOf(form.get('lifetime')),
  });
  // The tokens are left out of the digest: a retry with a fresh identity token is the same request.
  const idempotencyKey = idempotencyKeyOf({ headers }, requested);
  return defined({
    ...requested,
    ceiling,
    tokenType: form.get('requested_token_type'),
    askedAsScope: form.has('scope'),
    idempotencyKey,
  });
}

const presented = (form: Form, name: 'subject_token' | 'actor_token') => ({
  token: demandedToken(form, name),
  type: demanded(form, `${name}_type`),
});

/**
 * Returns the token as presented; undefined without one. RFC 8693 §2.1: a request has both the token and its type, or
 * neither.
 */
const presentedIfSent = (form: Form, name: 'actor_token') =>
  form.has(name) || form.has(`${name}_type`) ? presented(form, name) : undefined;

/** @param granted the resources that the grant is for; absent: any */
function targetOf(form: Form, targets: Around['targets'], granted: readonly string[] | undefined): NamedTarget {
  const named = (name: string): NamedTarget => targets.get(name) ?? { resource: name };
  const sent = [form.get('resource'), form.get('audience')].filter((name) => name !== undefined);
  const [only, another] = granted ?? [];
  const meant = sent.length === 0 && only !== undefined && another === undefined ? [only] : sent;
  const target = soleTarget(form, targets, meant.map(named));
  if (granted && !granted.some((name) => named(name).resource === target.resource))
    throw new BrokerError('invalid_target', 'The token presented was issued for another resource.');
  return target;
}

/**
 * Returns the target: by `resource` (RFC 8707) or `audience` (RFC 8693), which may be any name of it, else the one that has the
 * names in `scope`. One that nobody configured is returned as it was sent, and refused where targets are looked up.
 */
function soleTarget(form: Form, targets: Around['targets'], [target, other]: NamedTarget[]): NamedTarget {
  if (target) {
    if (!other || other.resource === target.resource) return target;
    throw new BrokerError('invalid_target', 'The audience and the resource must name one target.');
  }
  const [only, second] = targetsWithScopes(targets.values(), form.get('scope') ?? '');
  if (second) throw new BrokerError('invalid_target', 'Several targets have that scope: name one of them as resource.');
  return only ?? { resource: demanded(form, 'resource') };
}

/** @param granted the most that the grant allows; absent: anything */
function accessOf(form: Form, target: NamedTarget, granted: readonly TargetAccess[] | undefined): Access[] {
  const here = granted && normalise(granted.filter((one) => one.target === target.resource));
  if (here?.length === 0) throw new BrokerError('invalid_scope', 'The assertion grants no access to that resource.');
  const access = askedAccess(form, target, here ?? target.defaultAccess);
  if (!granted || isWithin(granted, target.resource, access)) return access;
  throw new BrokerError('invalid_scope', 'The request goes beyond what the assertion grants.', { retry: 'with-less' });
}

const asksAccess = (form: Form): boolean => form.has('scope') || form.has('authorization_details');

/** @param unsaid the access of a request that names none */
function askedAccess(form: Form, { resource, scopes }: NamedTarget, unsaid: readonly Access[] | undefined): Access[] {
  const scope = form.get('scope');
  const details = form.get('authorization_details');
  if (!asksAccess(form)) {
    if (unsaid) return [...unsaid];
    throw refused(
      'Send the access as scope (<path>:<action>), as authorization_details, or both: the target has no default access.',
    );
  }
  const { hasScope, resourceNoun } = kindOfTarget(resource);
  if (scope !== undefined && !hasScope) {
    const text = `Access to ${resourceNoun} has no scope: ask for it as authorization_details.`;
    throw new BrokerError('invalid_scope', text);
  }
  return uniteAccess(
    scope === undefined ? [] : accessFromScope(scope, scopes),
    details === undefined ? [] : accessFromDetails(details, resource),
  );
}

/** @param handed the task whose credential is handed on, and whose purpose is kept unless the request has another */
function underOf(form: Form, { defaultPurpose }: NamedTarget, handed: Task | undefined): CredentialRequest['under'] {
  const purpose = form.get('purpose');
  const taskId = form.get('task_id');
  if (purpose !== undefined && taskId === undefined) {
    if (isPrintable(purpose, 256)) return { purpose };
    throw refused('The purpose must be 1 to 256 printable characters.');
  }
  if (taskId !== undefined && purpose === undefined) return { taskId };
  if (taskId !== undefined) throw refused('Send purpose (opens a new task) or task_id (uses an open task), not both.');
  if (handed) return { purpose: handed.purpose, isKept: true };
  if (defaultPurpose !== undefined) return { purpose: defaultPurpose, isDefault: true };
  throw refused('Send purpose (opens a new task) or task_id (uses an open task): the target has no default purpose.');
}

function lifetimeOf(text: string | undefined): { lifetimeSeconds?: number } {
  if (text === undefined) return {};
  if (/^\d{1,9}$/.test(text) && Number(text) > 0) return { lifetimeSeconds: Number(text) };
  throw refused('The lifetime must be a whole number of seconds, at least 1.');
}

const refused = (text: string) => new BrokerError('invalid_request', text);
