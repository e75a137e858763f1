/** POST /introspect (RFC 7662): the claims of a live token, or exactly `{"active":false}` and no reason. */
import { introspect } from '../../broker/introspect.js';
import { authenticateClient } from '../authenticate.js';
import type { HttpDeps } from '../deps.js';
import { ok, type Handle } from '../endpoint.js';
import { demanded, readForm } from '../form.js';

export const introspection =
  (deps: HttpDeps): Handle =>
  async (call) => {
    const form = readForm(call);
    const caller = await authenticateClient(deps, call, form);
    const claims = await introspect(deps, caller, { token: demanded(form, 'token'), requestId: call.requestId });
    return ok(claims ? { active: true, token_type: 'Bearer', ...claims } : { active: false });
  };
