/** POST /introspect (RFC 7662): the claims of a live token, or exactly `{"active":false}` and no reason. */
import { introspect } from '../../credentials/introspect.js';
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import type { HttpDeps } from '../deps.js';
import { authenticateClient } from '../wire/authenticate.js';
import { demandedToken, readForm, type Form } from '../wire/body.js';
import { ok, type Handle } from '../wire/endpoint.js';
import { isPrintable } from '../wire/fields.js';

export const introspection =
  (deps: HttpDeps): Handle =>
  async (call) => {
    const form = readForm(call);
    const caller = await authenticateClient(deps, call, form);
    const presentedFrom = placeIn(form);
    const claims = await introspect(
      deps,
      caller,
      defined({
        token: demandedToken(form, 'token'),
        presentedFrom,
        requestId: call.requestId,
      }),
    );
    return ok(claims ? { active: true, token_type: 'Bearer', ...claims } : { active: false });
  };

const PLACE_CHARACTERS = 256;

/**
 * Returns a parameter of this broker: an address, a region or a host, or any other text by which the API distinguishes its
 * callers. The broker only compares it.
 */
function placeIn(form: Form): string | undefined {
  const place = form.get('presented_from');
  if (place === undefined || isPrintable(place, PLACE_CHARACTERS)) return place;
  throw new BrokerError('invalid_request', `presented_from must be 1 to ${PLACE_CHARACTERS} printable characters.`);
}
