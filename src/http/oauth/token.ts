/** POST /token: RFC 8693 token exchange. */
import { exchange } from '../../credentials/exchange.js';
import type { Issued } from '../../credentials/release.js';
import { defined } from '../../domain/defined.js';
import { toSeconds } from '../../domain/time.js';
import type { HttpDeps } from '../deps.js';
import { authenticateClient, clientIfSent } from '../wire/authenticate.js';
import { readForm } from '../wire/body.js';
import { countExchange } from '../wire/count-exchange.js';
import { ok, type Call, type Handle } from '../wire/endpoint.js';
import { noteRequest, noting } from '../wire/noted.js';
import { accessTokenOf, kindOf } from '../../targets/kinds.js';
import { detailsOf, scopeOf } from '../../targets/requested-access.js';
import { credentialRequestOf, proofsOf } from './token-request.js';
import { warningsOf } from './warnings.js';

/** RFC 8693 §2.1 and RFC 8707 §2 let a client repeat these parameters. A credential of this broker is for one target. */
const ONE_TARGET = { resource: 'invalid_target', audience: 'invalid_target' } as const;

export const token =
  (deps: HttpDeps): Handle =>
  async (call) =>
    ok(answerOf(await countExchange(deps, call, () => exchanged(deps, call))));

async function exchanged(deps: HttpDeps, call: Call): Promise<Issued & { warnings: string[] }> {
  const form = readForm(call, ONE_TARGET);
  const shown = proofsOf(form);
  // Where the grant shows no token, the client is the whole proof.
  const authenticated = Object.keys(shown).length === 0 ? authenticateClient : clientIfSent;
  const client = await authenticated(deps, call, form);
  // RFC 7523 §3.1: beside an assertion, a client that is not authenticated need not say who it is.
  const clientId = client || shown.assertion !== undefined ? undefined : form.get('client_id');
  const issued = await exchange({ ...deps, identify: noting(deps, call) }, defined({ ...shown, client, clientId }), {
    requestId: call.requestId,
    read: () => noteRequest(deps, call, credentialRequestOf(form, call, deps.targets)),
  });
  return { ...issued, warnings: warningsOf(form) };
}

/**
 * Returns the answer of POST /token. RFC 8693 §2.2.1 and RFC 9396 §7: the answer names the granted access, which may be
 * less than the requested one.
 */
function answerOf({ minted, credential, task, warnings }: Issued & { warnings: string[] }) {
  const kind = kindOf(credential.kind);
  const scope = scopeOf(credential.access, credential.scopes);
  return {
    access_token: accessTokenOf(minted.material),
    issued_token_type: kind.tokenTypes[0],
    token_type: kind.tokenType,
    expires_in: toSeconds(credential.expiresAt - credential.issuedAt),
    ...(scope !== '' && { scope }),
    authorization_details: detailsOf(credential.target, credential.access),
    task_id: task.id,
    ...(warnings.length > 0 && { warnings }),
  };
}
