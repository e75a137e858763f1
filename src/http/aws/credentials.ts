/**
 * GET /aws/credentials/{role}: the endpoint that AWS SDKs call as a container credential provider. An SDK sends the token
 * without a scheme, and calls again before the credentials expire. Each call is a whole exchange: identity, log and policy.
 */
import { z } from 'zod';
import { issuedNow } from '../../approvals/refusals.js';
import { type Requester, requesterByCredential } from '../../authorization/requester.js';
import { exchangeFor } from '../../credentials/exchange.js';
import type { CredentialRequest } from '../../credentials/request.js';
import { defined } from '../../domain/defined.js';
import { sha256 } from '../../domain/digest.js';
import { BrokerError } from '../../domain/errors.js';
import type { HttpDeps } from '../deps.js';
import { readQuery } from '../wire/body.js';
import { countExchange } from '../wire/count-exchange.js';
import { described, json, time, type Contract } from '../wire/contract.js';
import { ok, type Call } from '../wire/endpoint.js';
import { printable, wholeNumber } from '../wire/fields.js';
import { noteParty, noteRequest, noting, traceOf } from '../wire/noted.js';
import { AWS_CREDENTIALS_TYPE, toContainerCredentials } from '../../protocol/aws-credentials.js';
import { accessFromDetails, uniteAccess } from '../../targets/requested-access.js';

/**
 * The default lifetime. SDKs fetch new credentials when five to fifteen minutes are left. With a shorter lifetime they would
 * fetch them before every single call to AWS.
 */
const USUAL_SECONDS = 3_600;

const input = z.strictObject({
  task: z.string().exactOptional().describe('The open task under which the session is asked for.'),
  purpose: printable(256)
    .exactOptional()
    .describe('What it is for, in words: a task is opened for it. Send this, or `task`.'),
  authorization_details: z
    .string()
    .meta({ contentMediaType: 'application/json' })
    .exactOptional()
    .describe('As at `POST /token`. Default: the access that the task was opened for.'),
  lifetime: wholeNumber(1, 999_999_999)
    .default(USUAL_SECONDS)
    .describe(`So many seconds at most. Default: ${USUAL_SECONDS}.`),
});

const contract: Contract = {
  summary: 'Grants a session of an IAM role, as AWS SDKs ask for it ([aws.md](aws.md)).',
  proof: 'container',
  needs:
    'the access itself, which policy must permit. Instead of an identity, a credential for `<issuer>/aws/credentials` with ' +
    'the scope `<role>:execute` will do',
  path: { target: 'The ARN of the role.' },
  query: input,
  answers: {
    200: json(
      z.strictObject({ AccessKeyId: z.string(), SecretAccessKey: z.string(), Token: z.string(), Expiration: time() }),
    ),
  },
  refusals: [
    'invalid_grant',
    'invalid_scope',
    'not_found',
    'invalid_target',
    'invalid_authorization_details',
    'conflict',
    'quota_exceeded',
  ],
};

type Asked = z.output<typeof input>;

export const awsCredentials = (deps: HttpDeps) =>
  described(contract, async (call) => {
    const { material } = (await countExchange(deps, call, () => issued(deps, call))).minted;
    // The exchange refuses this token type for targets of any other kind.
    if (material.kind !== 'aws-sts') throw new Error('the credential is no AWS session');
    return ok(toContainerCredentials(material));
  });

async function issued(deps: HttpDeps, call: Call) {
  const target = call.params['target'] ?? '';
  const token = tokenOf(call);
  const wanted = {
    trace: traceOf(call),
    audience: deps.settings.proofTarget ?? '',
    access: { path: target, actions: ['execute'] },
  };
  const requester = (await requesterByCredential(deps, token, wanted)) ?? (await identified(deps, call, token));
  noteParty(call, requester.caller.party);
  const read = (): CredentialRequest => {
    const asked = readQuery(call, input);
    const under = underOf(asked, target, requester.from?.task.id);
    return noteRequest(deps, call, { ...requestOf(asked, target), ...under });
  };
  return issuedNow(await exchangeFor(deps, requester, { requestId: call.requestId, read }));
}

/**
 * Returns the token of the Authorization header. SDKs send it without a scheme; people who set it by hand write "Bearer"
 * before it.
 */
function tokenOf({ headers }: Call): string {
  const token = headers.authorization?.replace(/^bearer +/i, '').trim();
  if (token) return token;
  throw new BrokerError('invalid_token', 'Send an identity token in the Authorization header.');
}

/** The token is in the Authorization header, so a token that is not accepted is a 401, as at every endpoint that reads it there. */
async function identified(deps: HttpDeps, call: Call, token: string): Promise<Requester> {
  const caller = await noting(deps, call)(token, { use: 'bearer' });
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
    again: true as const,
  });

/** @param proven The task of the credential that was presented as proof, if it was one: no task has to be named then. */
function underOf(
  { task, purpose, ...asked }: Asked,
  target: string,
  proven: string | undefined,
): Pick<CredentialRequest, 'under' | 'idempotencyKey'> {
  const taskId = task ?? (purpose === undefined ? proven : undefined);
  if ((taskId === undefined) === (purpose === undefined))
    throw new BrokerError(
      'invalid_request',
      'Send either purpose (opens a new task) or task (uses an open task), not both.',
    );
  if (taskId !== undefined) return { under: { taskId } };
  // An SDK that calls again with the same purpose continues the same work. It finds the task that its first call opened, and
  // gets no second task after that one has ended.
  const digest = sha256(JSON.stringify({ target, purpose, ...asked }));
  return { under: { purpose: purpose ?? '' }, idempotencyKey: { key: `aws:${digest}`, body: digest } };
}
