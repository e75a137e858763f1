/** POST /revoke (RFC 7009): a holder gives its token back. The answer is empty, whatever the token was; of AWS credentials their holder hears how far it has come. */
import { defined } from '../../domain/defined.js';
import { revokeHeldToken } from '../../credentials/return-token.js';
import { authenticateClient } from '../wire/authenticate.js';
import type { HttpDeps } from '../deps.js';
import type { Handle } from '../wire/endpoint.js';
import { demanded, readForm } from '../wire/body.js';

export const tokenRevocation =
  (deps: HttpDeps): Handle =>
  async (call) => {
    const form = readForm(call);
    const caller = await authenticateClient(deps, call, form);
    const effect = await revokeHeldToken(deps, caller, demanded(form, 'token'));
    return defined({ status: 200, body: effect });
  };
