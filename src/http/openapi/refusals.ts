/** How endpoints refuse, for the document: which codes, with which status, in which form. */
import { z } from 'zod';
import { APPROVAL_STATES } from '../../domain/approval.js';
import { BROKER_ERROR_CODES, type BrokerErrorCode } from '../../domain/errors.js';
import { RETRIES } from '../../domain/retry.js';
import type { Contract, Proof } from '../wire/contract.js';
import type { RefusalFormat } from '../wire/endpoint.js';
import { statusOf, wireErrorOf } from '../wire/wire-errors.js';
import type { Components, Json } from './components.js';

/** The codes of every endpoint, and those that come with a way of proving who calls. */
const ALWAYS = ['invalid_request', 'payload_too_large', 'temporarily_unavailable', 'server_error'] as const;
const BY_PROOF: Record<Proof, readonly BrokerErrorCode[]> = {
  none: [],
  bearer: ['invalid_token', 'access_denied', 'slow_down'],
  client: ['invalid_client', 'invalid_token', 'access_denied', 'slow_down'],
  grant: ['invalid_client', 'invalid_token', 'access_denied', 'slow_down'],
  container: ['invalid_token', 'access_denied', 'slow_down'],
  credential: ['invalid_token', 'access_denied'],
  signature: [],
  session: ['invalid_token', 'access_denied', 'slow_down'],
};

/** Returns the codes with which an endpoint can refuse. */
export function refusalsOf({ proof, body, form, raw, refusals = [] }: Contract): BrokerErrorCode[] {
  const takesBody = body !== undefined || form !== undefined || raw !== undefined;
  const all = [...ALWAYS, ...BY_PROOF[proof], ...(takesBody ? ['unsupported_media_type' as const] : []), ...refusals];
  return BROKER_ERROR_CODES.filter((code) => all.includes(code));
}

/** Most endpoints refuse alike, so each response is a component. */
export function refusedResponses(contract: Contract, format: RefusalFormat, { responses }: Components): Json {
  const codes = refusalsOf(contract);
  const schema = { $ref: `#/components/schemas/${SCHEMA_OF[format]}` };
  const found: Json = {};
  for (const status of new Set(codes.map((code) => statusOf(code, format)))) {
    const those = codes.filter((code) => statusOf(code, format) === status);
    const name = [SCHEMA_OF[format], status, ...those].join('.');
    const description = those.map((code) => `\`${code}\`: ${wireErrorOf(code).title}.`).join(' ');
    responses[name] = { description, content: { [MEDIA_TYPE_OF[format]]: { schema } } };
    found[status] = { $ref: `#/components/responses/${name}` };
  }
  return found;
}

const MEDIA_TYPE_OF: Record<RefusalFormat, string> = {
  problem: 'application/problem+json',
  oauth: 'application/json',
  container: 'application/json',
  set: 'application/json',
  authzen: 'application/json',
};

export const SCHEMA_OF = {
  problem: 'Problem',
  oauth: 'OAuthError',
  container: 'ContainerError',
  set: 'SetError',
  authzen: 'AuthzenError',
} as const;

const code = z.enum(BROKER_ERROR_CODES);
const next = {
  decision_id: z.string().exactOptional().describe('The decision of policy, as the audit log names it.'),
  retry: z.enum(RETRIES).describe('When it makes sense to ask again.'),
  approval_id: z
    .string()
    .exactOptional()
    .describe('The question to people that the request waits for, or that was answered with no.'),
  task_id: z
    .string()
    .exactOptional()
    .describe('Beside `approval_id`: the task under which the same can be asked again.'),
};

/** The forms of refusals, as `refusalOf` in wire/refusal.ts writes them. */
export const REFUSALS = {
  Problem: z
    .strictObject({
      type: z.string().meta({ format: 'uri' }),
      title: z.string(),
      status: z.int(),
      detail: z.string().describe('What was wrong, as a sentence.'),
      instance: z.string().describe('The id of the request.'),
      code,
      ...next,
      state: z.enum(APPROVAL_STATES).exactOptional().describe('Of an approval that cannot be answered as it stands.'),
    })
    .describe('RFC 9457.'),
  OAuthError: z
    .strictObject({
      error: code,
      error_description: z.string(),
      error_uri: z.string().meta({ format: 'uri' }),
      ...next,
      deferral_code: z
        .string()
        .exactOptional()
        .describe('Of the first `authorization_pending`: the secret by which the grant is fetched.'),
      expires_in: z.int().exactOptional().describe('Beside `deferral_code`: so many seconds people have to answer.'),
      interval: z
        .int()
        .exactOptional()
        .describe('Beside `deferral_code`: ask again after so many seconds, not before.'),
    })
    .describe('RFC 6749 §5.2.'),
  ContainerError: z
    .strictObject({ code, message: z.string(), ...next })
    .describe('As the SDKs that ask for container credentials show it to people.'),
  SetError: z
    .strictObject({ err: z.string(), description: z.string() })
    .describe('RFC 8935 §2.3. `err` is for faults of the event; else the status counts.'),
  AuthzenError: z.string().describe('AuthZEN 1.0: what was wrong, as a sentence.'),
} satisfies Record<(typeof SCHEMA_OF)[RefusalFormat], z.ZodType>;
