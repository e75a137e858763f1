/**
 * POST /revoke (RFC 7009): a holder gives its token back. The answer is empty, whatever the token was. Only for a credential
 * to whose target the end must be pushed, the answer says how far that has come.
 */
import { returnToken } from '../../credentials/return-token.js';
import { defined } from '../../domain/defined.js';
import type { HttpDeps } from '../deps.js';
import { z } from 'zod';
import { sessionEnd } from '../wire/answers.js';
import { authenticateClient, clientForm } from '../wire/authenticate.js';
import { demandedToken, readForm } from '../wire/body.js';
import { described, json, type Contract } from '../wire/contract.js';

const revocationForm = z.object({
  token: z
    .string()
    .describe(
      'The credential as it was issued, or what its target itself calls it (a text has at most 8); or a `deferral_code`.',
    ),
  token_type_hint: z.string().exactOptional().describe('Not needed, and not read.'),
  ...clientForm,
});

const contract: Contract = {
  summary:
    'Gives a credential back: its holder does not need it any more, and it is dead at once. Or takes back what waits until ' +
    'people agree. The answer is the same where the caller holds no such thing (RFC 7009).',
  proof: 'client',
  needs: 'the identity of the holder',
  form: revocationForm,
  answers: {
    200: json(
      sessionEnd.optional().describe('Empty; or, where the end must be pushed to the target, how far that has come.'),
    ),
  },
};

export const tokenRevocation = (deps: HttpDeps) =>
  described(contract, async (call) => {
    const form = readForm(call, revocationForm);
    const caller = await authenticateClient(deps, call, form, 'ending');
    const effect = await returnToken(deps, caller, { token: demandedToken(form, 'token'), requestId: call.requestId });
    return defined({ status: 200, body: effect });
  });
