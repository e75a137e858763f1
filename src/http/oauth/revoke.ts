/**
 * POST /revoke (RFC 7009): a holder gives its token back. The answer is empty, whatever the token was. Only for a credential
 * to whose target the end must be pushed, the answer says how far that has come.
 */
import { returnToken } from '../../credentials/return-token.js';
import { defined } from '../../domain/defined.js';
import type { HttpDeps } from '../deps.js';
import { authenticateClient } from '../wire/authenticate.js';
import { demandedToken, readForm } from '../wire/body.js';
import type { Handle } from '../wire/endpoint.js';

export const tokenRevocation =
  (deps: HttpDeps): Handle =>
  async (call) => {
    const form = readForm(call);
    const caller = await authenticateClient(deps, call, form, 'ending');
    const effect = await returnToken(deps, caller, { token: demandedToken(form, 'token'), requestId: call.requestId });
    return defined({ status: 200, body: effect });
  };
