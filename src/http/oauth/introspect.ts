/** POST /introspect (RFC 7662): the claims of a live token, or exactly `{"active":false}` and no reason. */
import { z } from 'zod';
import { introspect } from '../../credentials/introspect.js';
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import type { HttpDeps } from '../deps.js';
import { accessTokenClaimsSchema } from '../../protocol/access-token.js';
import { authenticateClient, clientForm } from '../wire/authenticate.js';
import { demandedToken, readForm, type Form } from '../wire/body.js';
import { described, json, type Contract } from '../wire/contract.js';
import { ok } from '../wire/endpoint.js';
import { isPrintable } from '../wire/fields.js';

const PLACE_CHARACTERS = 256;

const introspectionForm = z.object({
  token: z.string().describe('The credential that was presented to you.'),
  token_type_hint: z.string().exactOptional().describe('Not needed, and not read.'),
  presented_from: z
    .string()
    .meta({ minLength: 1, maxLength: PLACE_CHARACTERS })
    .exactOptional()
    .describe(
      'Whatever tells your callers apart, such as an address: one token in many places is an alarm. Kept as a hash.',
    ),
  ...clientForm,
});

const introspectionAnswer = z.union([
  z.strictObject({ active: z.literal(false) }).describe('Not live, or not a credential, or not for you to know.'),
  accessTokenClaimsSchema
    .extend({ active: z.literal(true), token_type: z.literal('Bearer') })
    .describe('Live: its claims.'),
]);

const contract: Contract = {
  summary: 'Tells an API whether a credential is live at this moment, and what it may (RFC 7662).',
  proof: 'client',
  needs:
    '`introspect` on the target, or `readCredential`; a workload may ask about its own. Otherwise every answer is ' +
    '`{"active":false}`',
  form: introspectionForm,
  answers: { 200: json(introspectionAnswer) },
};

export const introspection = (deps: HttpDeps) =>
  described(contract, async (call) => {
    const form = readForm(call, introspectionForm);
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
  });

/**
 * Returns a parameter of this broker: an address, a region or a host, or any other text by which the API distinguishes its
 * callers. The broker only compares it.
 */
function placeIn(form: Form<'presented_from'>): string | undefined {
  const place = form.get('presented_from');
  if (place === undefined || isPrintable(place, PLACE_CHARACTERS)) return place;
  throw new BrokerError('invalid_request', `presented_from must be 1 to ${PLACE_CHARACTERS} printable characters.`);
}
