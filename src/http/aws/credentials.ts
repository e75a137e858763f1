/**
 * GET /aws/credentials/{role}: what every AWS SDK asks of a container credential provider. The SDK sends a token as it is, and
 * asks again before the credentials expire; each time identity, log and policy are asked anew.
 */
import { defined } from '../../domain/defined.js';
import { z } from 'zod';
import type { Requester } from '../../authorization/requester.js';
import { requesterByCredential } from '../../authorization/requester-by-credential.js';
import { exchangeFor } from '../../credentials/exchange.js';
import type { CredentialRequest } from '../../credentials/request.js';
import { accessFromDetails, uniteAccess } from '../../targets/requested-access.js';
import { sha256 } from '../../domain/digest.js';
import { BrokerError } from '../../domain/errors.js';
import { AWS_CREDENTIALS_TYPE, toContainerCredentials } from '../../protocol/aws-credentials.js';
import type { HttpDeps } from '../deps.js';
import { ok, type Call, type Handle } from '../wire/endpoint.js';
import { readQuery } from '../wire/body.js';
import { counted } from '../oauth/token.js';
import { printable, wholeNumber } from '../wire/fields.js';

/** SDKs ask again when five to fifteen minutes are left: with less than that to begin with, before every single call. */
const USUAL_SECONDS = 3_600;

const input = z.strictObject({
  task: z.string().exactOptional(),
  purpose: printable(256).exactOptional(),
  /** RFC 9396, as at the token endpoint. Without it: what the task was opened for. */
  authorization_details: z.string().exactOptional(),
  lifetime: wholeNumber(1, 999_999_999).default(USUAL_SECONDS),
});

type Asked = z.output<typeof input>;

export const awsCredentials =
  (deps: HttpDeps): Handle =>
  async (call) => {
    const { minted, credential } = await counted(deps, () => issued(deps, call));
    deps.metrics.minted(credential.expiresAt);
    const { material } = minted;
    // The `tokenType` of the request lets nothing else through.
    if (material.kind !== 'aws-sts') throw new Error('the credential is no AWS session');
    return ok(toContainerCredentials(material));
  };

async function issued(deps: HttpDeps, call: Call) {
  const target = call.params['target'] ?? '';
  const asked = readQuery(call, input);
  const token = tokenOf(call);
  const wanted = { audience: deps.settings.proofTarget ?? '', access: { path: target, actions: ['execute'] } };
  const requester = (await requesterByCredential(deps, token, wanted)) ?? (await identified(deps, token));
  const under = underOf(asked, target, requester.from?.task.id);
  return exchangeFor(deps, requester, { ...requestOf(asked, target), ...under, requestId: call.requestId });
}

/** As it is; people who set it by hand write "Bearer" before it. */
function tokenOf({ headers }: Call): string {
  const token = headers.authorization?.replace(/^bearer +/i, '').trim();
  if (token) return token;
  throw new BrokerError('invalid_token', 'Send an identity token in the Authorization header.');
}

/** The proof stands in a header: what is wrong with it is a 401, as wherever that is so. */
async function identified({ identify }: HttpDeps, token: string): Promise<Requester> {
  const caller = await identify(token, { use: 'bearer' });
  if (caller.party.kind === 'workload') return { caller };
  throw new BrokerError('invalid_request', 'Sessions are for workloads: send the identity token of one.');
}

const requestOf = ({ authorization_details: details, lifetime }: Asked, target: string) =>
  defined({
    target,
    access: details === undefined ? undefined : uniteAccess(accessFromDetails(details, target)),
    lifetimeSeconds: lifetime,
    tokenType: AWS_CREDENTIALS_TYPE,
    askedAsScope: false,
  });

/** A credential as proof names its task by itself. */
function underOf(
  { task, purpose, ...asked }: Asked,
  target: string,
  proven: string | undefined,
): Pick<CredentialRequest, 'under' | 'idempotencyKey'> {
  const taskId = task ?? (purpose === undefined ? proven : undefined);
  if ((taskId === undefined) === (purpose === undefined))
    throw new BrokerError('invalid_request', 'Say task or purpose: exactly one of them.');
  if (taskId !== undefined) return { under: { taskId } };
  // An SDK that asks again means the same piece of work: it finds the task it began, and no second one after that has ended.
  const digest = sha256(JSON.stringify({ target, purpose, ...asked }));
  return { under: { purpose: purpose ?? '' }, idempotencyKey: { key: `aws:${digest}`, body: digest } };
}
