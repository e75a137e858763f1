/** The requester of a credential: always a workload, proven by an identity token or by a credential of this broker; sometimes it acts for a person. */
import { eachIssuer } from '../config/trust-schema.js';
import { isWithin, type Access } from '../domain/access.js';
import { sha256 } from '../domain/digest.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import type { RequestTrace } from '../domain/request-trace.js';
import { isClient, isOnlyClient, isSame, isSubject, type Party } from '../domain/party.js';
import type { NamedActor } from '../identity/claim-values.js';
import { claimedBy } from '../identity/token.js';
import type { AuthenticatedCaller, ShownIdJag } from '../identity/proof.js';
import type { Found } from '../ledger/credentials.js';
import { ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE, JWT_TYPE } from '../protocol/oauth.js';
import type { Deps } from './deps.js';
import { holderOf, inspect, shownBy } from './inspect.js';

interface Presented {
  token: string;
  /** The type that the request declares (RFC 8693 §3). */
  type: string;
}

/** What a request for a credential shows: at least one of subject, assertion and client. The tokens are not verified yet. */
export interface Proofs {
  /** RFC 8693: the party for whom the credential is. */
  subject?: Presented;
  /** RFC 8693: the workload that acts for the subject. */
  actor?: Presented;
  /** RFC 7523 §2.1: the token of a workload that is the whole grant, or an ID-JAG. */
  assertion?: string;
  /** The client, which has authenticated itself. */
  client?: AuthenticatedCaller;
  /** Only a name, of a client that has not. It must be that of the workload. */
  clientId?: string;
}

export interface Requester {
  /** The workload: proven as the actor if there is one, as the client of a person's token, or as the subject itself. */
  caller: AuthenticatedCaller;
  /** The person that the workload acts for. Their proof is looked up in the log like the caller's. */
  onBehalfOf?: AuthenticatedCaller;
  /** The credential that the caller proved itself by. Whatever is derived from it ends with it. */
  from?: Found;
  /** The credential that is handed on to the caller, or that the caller narrows: what it gets is under that one's task. */
  handed?: Found;
}

/** Returns the proofs that the request was made with. */
export const proofsOf = ({ caller, onBehalfOf }: Requester): AuthenticatedCaller[] =>
  onBehalfOf ? [caller, onBehalfOf] : [caller];

const ACCEPTED_TYPES: readonly string[] = [JWT_TYPE, ID_TOKEN_TYPE, ACCESS_TOKEN_TYPE];

/**
 * Returns the workload by its proof, and whom it acts for. Throws `invalid_request`, or by RFC 7523 `invalid_grant` or `invalid_client`, for
 * proofs that do not hold or do not fit each other, and `temporarily_unavailable` where the keys of an issuer cannot be read.
 */
export async function identifyRequester(deps: IdentifyDeps, proofs: Proofs): Promise<Requester> {
  const requester = await proven(deps, proofs);
  const { party } = requester.caller;
  const { assertion, client, clientId } = proofs;
  refuseOtherActor(
    deps,
    party,
    requester.onBehalfOf?.mayAct,
    assertion === undefined ? 'invalid_request' : 'invalid_grant',
  );
  if (client && client.party.id !== party.id) {
    throw new BrokerError('invalid_request', 'The client is not the workload whose token was presented.');
  }
  // RFC 7523 §3.1: beside an assertion, a client that is not authenticated need not say who it is.
  if (assertion === undefined && clientId !== undefined && !isClient(party, clientId)) {
    throw new BrokerError('invalid_request', 'The client_id is not the workload whose token was presented.');
  }
  return requester;
}

type IdentifyDeps = Pick<Deps, 'identify' | 'settings' | 'keys' | 'ledger' | 'observer'>;

/** Throws if the token of the person names another workload as who may act for them. */
export function refuseOtherActor(
  { settings }: Pick<Deps, 'settings'>,
  party: Party,
  mayAct: NamedActor | undefined,
  code: 'invalid_request' | 'invalid_grant',
): void {
  if (!mayAct || isActor(settings, party, mayAct)) return;
  const text = 'The token of the person says who may act for them (may_act), and that is not this workload.';
  throw new BrokerError(code, text);
}

/** Returns whether `may_act` means this workload: by the subject that its issuer gives it, or by a name that only it has. */
const isActor = ({ trust }: Pick<Deps['settings'], 'trust'>, party: Party, { sub, iss }: NamedActor): boolean =>
  iss === undefined
    ? isOnlyClient(party, sub)
    : isSubject(party, sub) &&
      eachIssuer(trust).some((one) => one.kind === 'oidc' && one.issuer === iss && one.name === party.issuer);

async function proven(deps: IdentifyDeps, proofs: Proofs): Promise<Requester> {
  const { identify, settings } = deps;
  const { subject, actor, assertion, client } = proofs;
  for (const presented of [subject, actor]) {
    if (!presented || ACCEPTED_TYPES.includes(presented.type)) continue;
    throw new BrokerError('invalid_request', `The token type must be one of: ${ACCEPTED_TYPES.join(', ')}.`);
  }
  if (subject && claimedBy(subject.token).iss === settings.issuer) return handedOn(deps, { ...proofs, subject });
  if (subject) {
    const forWhom = await identify(subject.token, { use: 'subject', tokenType: subject.type });
    if (actor) return forPerson(forWhom, await identify(actor.token, { use: 'actor', tokenType: actor.type }));
    // Gateways show the token of a person and authenticate themselves: the client is the actor.
    return client && forWhom.party.kind === 'person' ? forPerson(forWhom, client) : forItself(forWhom);
  }
  const caller = assertion === undefined ? client : await identify(assertion, { use: 'assertion' });
  if (!caller) throw new Error('a request without any proof');
  if (caller.idJag) return { caller: clientOf(caller.idJag, caller, proofs), onBehalfOf: caller };
  if (caller.party.kind === 'workload') return { caller };
  const [code, noun] =
    assertion === undefined ? (['invalid_client', 'client'] as const) : (['invalid_grant', 'assertion'] as const);
  throw new BrokerError(
    code,
    `The ${noun} must be a workload: a person gets no credential without one that acts for them.`,
  );
}

/**
 * Returns the client that an ID-JAG was issued to: the one that has authenticated itself, or a public one, for which the identity
 * provider alone vouches. A client is meant by a name that no other has: an identity provider knows nothing of our issuers.
 */
function clientOf(
  { clientId, publicClient }: ShownIdJag,
  { proofHash, issuedAt, expiresAt, trace }: AuthenticatedCaller,
  { client, clientId: named }: Proofs,
): AuthenticatedCaller {
  if (client?.party.kind === 'workload' && isOnlyClient(client.party, clientId)) return client;
  if (client || (named !== undefined && named !== clientId)) {
    throw new BrokerError('invalid_grant', 'The assertion was issued to another client.');
  }
  if (named !== undefined && publicClient)
    return defined({ party: publicClient, proofHash, issuedAt, expiresAt, trace });
  throw new BrokerError(
    'invalid_client',
    'The client that the assertion was issued to must authenticate itself: send a client_assertion, or an identity token as "Authorization: Bearer".',
  );
}

function forItself(caller: AuthenticatedCaller): Requester {
  if (caller.party.kind === 'workload') return { caller };
  throw new BrokerError(
    'invalid_request',
    "A person's token needs the workload that acts for them: as actor_token, or as the client that authenticates itself.",
  );
}

function forPerson(subject: AuthenticatedCaller, caller: AuthenticatedCaller): Requester {
  if (caller.party.kind !== 'workload')
    throw new BrokerError('invalid_request', 'The actor_token must be the token of a workload.');
  if (subject.party.kind !== 'person') {
    throw new BrokerError('invalid_request', 'With an actor_token the subject_token must be the token of a person.');
  }
  return { caller, onBehalfOf: subject };
}

/**
 * Returns the workload that a credential of this broker is handed on to, or that narrows its own. Its own proof is asked first: of
 * strangers no credential is looked up. Whether the credential lives is decided later, by the one look at the log of admission.
 */
async function handedOn(deps: IdentifyDeps, proofs: HandingOn): Promise<Requester> {
  const { subject, actor } = proofs;
  const caller = await actorOf(deps, proofs).catch(async (error: unknown) => {
    // It may be a canary, and those are noticed wherever they are shown: it is refused as proof of an identity, too.
    await deps.identify(subject.token, { use: 'subject', tokenType: subject.type }).catch(() => undefined);
    throw error;
  });
  const handed = (await inspect(deps, subject.token, shownBy(caller, 'proof')))?.found;
  if (!handed) throw new BrokerError('invalid_request', 'The subject token is no valid credential of this broker.');
  const { workload, principal } = handed.task;
  if (actor && isSame(workload, caller.party)) {
    throw new BrokerError(
      'invalid_request',
      'The actor_token is of the workload that holds the credential: to narrow it, the workload authenticates itself as the client.',
    );
  }
  if (!isSame(workload, caller.party) && isSame(principal, caller.party))
    throw new BrokerError('invalid_request', 'The credential is already for the workload that would act: its subject.');
  return { caller, handed };
}

type HandingOn = Proofs & { subject: Presented };

/** Returns the workload that a credential is handed on to, by its own proof. */
async function actorOf(
  { identify }: IdentifyDeps,
  { subject, actor, client }: HandingOn,
): Promise<AuthenticatedCaller> {
  if (subject.type === ID_TOKEN_TYPE)
    throw new BrokerError('invalid_request', `A credential of this broker is declared as ${ACCESS_TOKEN_TYPE}.`);
  const caller = actor ? await identify(actor.token, { use: 'actor', tokenType: actor.type }) : client;
  if (!caller) {
    throw new BrokerError(
      'invalid_request',
      'A credential of this broker proves no identity. To hand it on, the workload that asks sends its identity token as actor_token, or authenticates itself as the client.',
    );
  }
  if (caller.party.kind !== 'workload')
    throw new BrokerError('invalid_request', 'A credential is handed on to a workload, and not to a person.');
  return caller;
}

interface Demands {
  /** The `aud` that the token must have. A token for any other API must not be turned into more access. */
  audience: string;
  /** The access that the token must have been granted at that audience. */
  access: Access;
  trace?: RequestTrace;
}

/**
 * Returns the workload that holds this credential, under the credential's task; undefined if the token is none of this broker.
 * Whether the credential lives is decided later, by the one look at the log that admission takes.
 */
export async function requesterByCredential(
  deps: Pick<Deps, 'keys' | 'ledger' | 'settings' | 'observer'>,
  token: string,
  { audience, access, trace }: Demands,
): Promise<Requester | undefined> {
  const inspected = await inspect(deps, token, defined({ as: 'proof' as const, trace }));
  if (!inspected) return undefined;
  const { claims, found } = inspected;
  if (!found || claims.aud !== audience) {
    throw new BrokerError('invalid_token', 'The token presented is not for this endpoint.');
  }
  const { credential } = found;
  const granted = credential.access.map((one) => ({ target: audience, ...one }));
  if (!isWithin(granted, audience, [access])) {
    throw new BrokerError('access_denied', 'The token presented was not granted for that target.');
  }
  const caller = defined({
    trace,
    party: holderOf(found),
    proofHash: sha256(token),
    issuedAt: credential.issuedAt,
    expiresAt: credential.expiresAt,
  });
  return { caller, from: found };
}
