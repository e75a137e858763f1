/**
 * The access token that a target receives: a JWT by RFC 9068, with the broker's own claims. The minter and every verifier
 * share it.
 */
import { z } from 'zod';

/** The `typ` of the header: RFC 9068 §2.1. */
export const ACCESS_TOKEN_TYP = 'at+jwt';

const seconds = z.number().describe('Seconds since 1970.');

/** RFC 9396: some actions on one resource path (which may be a pattern) of one target. */
const grantedAccessSchema = z.object({
  type: z.string().describe('The kind of target; a verifier passes over types that it does not know.'),
  locations: z.array(z.string()).length(1),
  identifier: z.string(),
  actions: z.array(z.string()),
});

/**
 * The claims of an access token. Times are whole seconds since 1970-01-01T00:00:00Z. Unknown claims are allowed, because a newer
 * broker may add some; a missing one makes `parse` throw a ZodError.
 */
export const accessTokenClaimsSchema = z.looseObject({
  iss: z.string(),
  sub: z
    .string()
    .describe('The id of the principal: the person served, or the workload that began, if it serves nobody else.'),
  client_id: z.string().describe('The id of the workload that holds the credential.'),
  aud: z.string().describe('The resource of the target. It is one, never a list.'),
  iat: seconds,
  exp: seconds,
  jti: z.string().describe('The id of the credential.'),
  scope: z.string().optional().describe('The access, as far as scope can say it: an action with a colon cannot be.'),
  authorization_details: z.array(grantedAccessSchema).describe('The access (RFC 9396).'),
  act: z
    .looseObject({ sub: z.string() })
    .optional()
    .describe(
      'The workload, if it acts for somebody else (RFC 8693 §4.1). Whoever handed the task on to it stands in its `act`, and so on.',
    ),
  txn: z.string().describe('The id of the root task: the same in all credentials below it.'),
  task: z.object({ id: z.string(), lineage: z.array(z.string()), purpose: z.string() }),
  origin: z
    .object({
      workload: z.string(),
      issuer: z.string().describe('The trust name, not a URL.'),
      owner: z.string().optional(),
      principal: z.string(),
    })
    .describe('The parties behind the credential, as selectors of revocations name them.'),
  causes: z
    .array(z.string())
    .describe('What the credential hangs on, as hashes of 16 characters: `cause` in src/domain/selector.ts.'),
  epoch: z.string().describe('`<generation>.<sequence>` of the revocation log when the credential was born.'),
});

export type AccessTokenClaims = z.infer<typeof accessTokenClaimsSchema>;
