/** Authenticates the caller by a token of a trusted issuer: in the Authorization header, or on OAuth endpoints as a client assertion. */
import { z } from 'zod';
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import { isClient } from '../../domain/party.js';
import type { HttpDeps } from '../deps.js';
import type { AuthenticatedCaller } from '../../identity/proof.js';
import { JWT_ASSERTION, SPIFFE_ASSERTION } from '../../protocol/oauth.js';
import { demanded, demandedToken, type Form } from './body.js';
import type { Call } from './endpoint.js';
import { noting } from './noted.js';

const ASSERTION_TYPES: ReadonlySet<string> = new Set([JWT_ASSERTION, SPIFFE_ASSERTION]);

/** The parameters by which a client proves itself in a form (RFC 7523 §2.2), instead of in the Authorization header. */
export const clientForm = {
  client_assertion: z
    .string()
    .exactOptional()
    .describe('The identity token of the caller, instead of the Authorization header.'),
  client_assertion_type: z
    .enum([JWT_ASSERTION, SPIFFE_ASSERTION])
    .exactOptional()
    .describe('Belongs to `client_assertion`.'),
  client_id: z.string().exactOptional().describe('The id of the caller. It is compared with what was proven.'),
  client_secret: z.never().exactOptional().describe('Refused: there are no secrets of clients here.'),
};

type ClientForm = Form<keyof typeof clientForm>;

/** Returns the caller of a JSON endpoint: the bearer of an identity token. */
export async function authenticate(
  deps: Pick<HttpDeps, 'identify'>,
  call: Call,
  purpose?: 'ending',
): Promise<AuthenticatedCaller> {
  const token = bearerToken(call);
  if (token === undefined) {
    throw new BrokerError('invalid_token', 'Send an identity token as "Authorization: Bearer".');
  }
  return noting(deps, call)(token, defined({ use: 'bearer' as const, purpose }));
}

/** Returns the caller of an OAuth endpoint that requires client authentication. */
export async function authenticateClient(
  deps: Pick<HttpDeps, 'identify'>,
  call: Call,
  form: ClientForm,
  purpose?: 'ending',
): Promise<AuthenticatedCaller> {
  const client = await clientIfSent(deps, call, form, purpose);
  if (client) return client;
  throw new BrokerError('invalid_client', 'Send a client_assertion, or an identity token as "Authorization: Bearer".');
}

/** Returns the authenticated client, or undefined if no proof was sent. A proof that is sent must be valid, even where none is required. */
export async function clientIfSent(
  deps: Pick<HttpDeps, 'identify'>,
  call: Pick<Call, 'headers' | 'noted' | 'requestId' | 'address'>,
  form: ClientForm,
  purpose?: 'ending',
): Promise<AuthenticatedCaller | undefined> {
  const assertion = assertionOf(form, call);
  const bearer = bearerToken(call);
  if (assertion !== undefined && bearer !== undefined) {
    throw new BrokerError('invalid_request', 'Only one way of client authentication can be used at once.');
  }
  if (assertion === undefined && bearer === undefined) return undefined;
  const identify = noting(deps, call);
  const client = await (assertion === undefined
    ? identify(bearer ?? '', defined({ use: 'bearer' as const, purpose }))
    : identify(assertion.token, defined({ use: 'client' as const, tokenType: assertion.type, purpose })));
  refuseOtherClientId(client, form);
  return client;
}

function assertionOf(
  form: ClientForm,
  { headers }: Pick<Call, 'headers'>,
): { token: string; type: string } | undefined {
  if (form.has('client_secret') || /^basic\b/i.test(headers.authorization ?? '')) {
    throw new BrokerError('invalid_client', 'There are no client secrets here; send a client_assertion.');
  }
  if (!form.has('client_assertion') && !form.has('client_assertion_type')) return undefined;
  const type = demanded(form, 'client_assertion_type');
  if (!ASSERTION_TYPES.has(type)) {
    throw new BrokerError('invalid_client', 'The client_assertion_type is not supported.');
  }
  return { token: demandedToken(form, 'client_assertion'), type };
}

/**
 * Returns the token of the Authorization header (RFC 6750 §2.1). Undefined only without a header: another scheme, or a
 * missing token, is refused with its own sentence.
 */
export function bearerToken({ headers }: Pick<Call, 'headers'>): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return undefined;
  const token = /^bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1];
  if (token === undefined) {
    throw new BrokerError('invalid_token', 'The Authorization header must read "Bearer" and an identity token.');
  }
  return token;
}

function refuseOtherClientId({ party }: AuthenticatedCaller, form: ClientForm): void {
  const clientId = form.get('client_id');
  if (clientId === undefined || isClient(party, clientId)) return;
  throw new BrokerError('invalid_client', 'The client_id is not the workload that was proven.');
}
