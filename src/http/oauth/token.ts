/** POST /token: a credential, by any of the grants in `token-request.ts`. */
import { z } from 'zod';
import { deferralFor } from '../../approvals/deferral.js';
import type { Parked } from '../../approvals/approval-request.js';
import { issuedNow } from '../../approvals/refusals.js';
import { exchange } from '../../credentials/exchange.js';
import type { Issued } from '../../credentials/release.js';
import { defined } from '../../domain/defined.js';
import { DEFERRED } from '../../protocol/oauth.js';
import { toSeconds } from '../../domain/time.js';
import type { HttpDeps } from '../deps.js';
import { authenticateClient, clientIfSent } from '../wire/authenticate.js';
import { readForm } from '../wire/body.js';
import { countExchange } from '../wire/count-exchange.js';
import { described, json, type Contract } from '../wire/contract.js';
import { ok, type Call } from '../wire/endpoint.js';
import { noteParty, noteRequest, noting } from '../wire/noted.js';
import { accessTokenOf, kindOf } from '../../targets/kinds.js';
import { detailSchema, detailsOf, scopeOf } from '../../targets/requested-access.js';
import { deferredGrant } from './deferred.js';
import { credentialRequestOf, grantOf, isDeferrable, proofsOf, tokenForm, type TokenForm } from './token-request.js';
import { warningsOf } from './warnings.js';

/** RFC 8693 §2.1 and RFC 8707 §2 let a client repeat these parameters. A credential of this broker is for one target. */
const ONE_TARGET = { resource: 'invalid_target', audience: 'invalid_target' } as const;

const contract: Contract = {
  summary: 'Grants a credential for one target under one task, to whom policy permits the access (RFC 8693, RFC 7523).',
  proof: 'grant',
  needs: 'the access itself, which policy must permit',
  takesIdempotencyKey: true,
  form: tokenForm,
  answers: {
    200: json(
      z.strictObject({
        access_token: z.string().describe('The credential: a token; or JSON, where the target takes something else.'),
        issued_token_type: z.string(),
        token_type: z.enum(['Bearer', 'N_A']).describe('`N_A` for what is no OAuth token.'),
        expires_in: z.int().describe('Seconds.'),
        scope: z.string().exactOptional().describe('What was granted, as far as scope can say it.'),
        authorization_details: z.array(detailSchema).describe('What was granted.'),
        task_id: z.string().describe('The task under which more can be asked for.'),
        warnings: z.array(z.string()).exactOptional().describe('Parameters that were sent and are not read.'),
      }),
    ),
  },
  refusals: [
    'invalid_grant',
    'invalid_target',
    'invalid_scope',
    'invalid_authorization_details',
    'unsupported_grant_type',
    'authorization_pending',
    'expired_token',
    'conflict',
    'quota_exceeded',
  ],
};

export const token = (deps: HttpDeps) =>
  described(contract, async (call) => ok(answerOf(await countExchange(deps, call, () => exchanged(deps, call)))));

async function exchanged(deps: HttpDeps, call: Call): Promise<Issued & { warnings: string[] }> {
  const form = readForm(call, tokenForm, ONE_TARGET);
  const grant = grantOf(form);
  if (grant === DEFERRED) return deferredGrant(deps, call, form);
  const shown = proofsOf(form, grant);
  const isDeferred = isDeferrable(form);
  const outcome = await granted(deps, call, { form, shown });
  if (isDeferred && 'waiting' in outcome) throw await deferralFor(deps, outcome);
  return { ...issuedNow(outcome), warnings: warningsOf(form) };
}

async function granted(
  deps: HttpDeps,
  call: Call,
  { form, shown }: { form: TokenForm; shown: ReturnType<typeof proofsOf> },
): Promise<Issued | Parked> {
  // Where the grant shows no token, the client is the whole proof.
  const authenticated = Object.keys(shown).length === 0 ? authenticateClient : clientIfSent;
  const client = await authenticated(deps, call, form);
  const clientId = client ? undefined : form.get('client_id');
  return exchange(deps, defined({ ...shown, client, clientId }), {
    identify: noting(deps, call),
    requestId: call.requestId,
    read: ({ caller, onBehalfOf, handed }) => {
      noteParty(call, caller.party);
      const asked = { headers: call.headers, targets: deps.targets, idJag: onBehalfOf?.idJag, handed };
      return noteRequest(deps, call, credentialRequestOf(form, asked));
    },
  });
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
