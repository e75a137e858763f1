/** POST /introspect (RFC 7662): the claims of a live token, or exactly `{"active":false}` and no reason. */
import { z } from 'zod';
import { evaluate } from '../../credentials/evaluate.js';
import { introspect } from '../../credentials/introspect.js';
import { defined } from '../../domain/defined.js';
import { BrokerError } from '../../domain/errors.js';
import type { HttpDeps } from '../deps.js';
import { accessTokenClaimsSchema } from '../../protocol/access-token.js';
import { assertOneUse } from '../authzen/question.js';
import { authenticateClient, clientForm } from '../wire/authenticate.js';
import { demanded, demandedToken, readForm, type Form } from '../wire/body.js';
import { described, json, type Contract } from '../wire/contract.js';
import { ok } from '../wire/endpoint.js';
import { isPrintable } from '../wire/fields.js';
import { traceOf } from '../wire/noted.js';

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
  action: z
    .string()
    .exactOptional()
    .describe('With `resource`: active only if this may be done now, as `/access/v1/evaluation` answers it.'),
  resource: z.string().exactOptional().describe('With `action`: one path at the target of the credential.'),
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
    '`{"active":false}`. With `action` and `resource`: `evaluate` too',
  form: introspectionForm,
  answers: { 200: json(introspectionAnswer) },
};

export const introspection = (deps: HttpDeps) =>
  described(contract, async (call) => {
    const form = readForm(call, introspectionForm);
    const caller = await authenticateClient(deps, call, form);
    const token = demandedToken(form, 'token');
    const [presentedFrom, use] = [placeIn(form), useIn(form)];
    const claims = await introspect(
      deps,
      caller,
      defined({
        token,
        presentedFrom,
        requestId: call.requestId,
      }),
    );
    const asked = claims && use && { subject: { token }, target: claims.aud, ...use, trace: traceOf(call) };
    // A resource server that reads nothing but `active` refuses what may not be done.
    const isActive = claims && (!asked || (await evaluate(deps, caller, asked)).permitted);
    return ok(isActive ? { active: true, token_type: 'Bearer', ...claims } : { active: false });
  });

/** Returns what is to be done with the credential; undefined where that is not asked. It is read before anything is known of the token. */
function useIn(form: Form<'action' | 'resource'>): { path: string; action: string } | undefined {
  if (!form.has('action') && !form.has('resource')) return undefined;
  const use = { path: demanded(form, 'resource'), action: demanded(form, 'action') };
  assertOneUse(use.path, use.action);
  return use;
}

/**
 * Returns a parameter of this broker: an address, a region or a host, or any other text by which the API distinguishes its
 * callers. The broker only compares it.
 */
function placeIn(form: Form<'presented_from'>): string | undefined {
  const place = form.get('presented_from');
  if (place === undefined || isPrintable(place, PLACE_CHARACTERS)) return place;
  throw new BrokerError('invalid_request', `presented_from must be 1 to ${PLACE_CHARACTERS} printable characters.`);
}
