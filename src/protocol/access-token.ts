/**
 * The access token that a target receives: a JWT by RFC 9068, with the broker's own claims. The minter and every verifier
 * share it.
 */
import { z } from 'zod';

/** The `typ` of the header: RFC 9068 §2.1. */
export const ACCESS_TOKEN_TYP = 'at+jwt';

const seconds = z.number();

/** RFC 9396: some actions on one resource path (which may be a pattern) of one target. */
const grantedAccessSchema = z.object({
  /** The kind of target; a verifier passes over types that it does not know. */
  type: z.string(),
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
  /** The id of the principal, which is the workload itself if the task serves nobody else. */
  sub: z.string(),
  /** The id of the workload that holds the credential. */
  client_id: z.string(),
  /** The resource of the target. It is one, never a list. */
  aud: z.string(),
  iat: seconds,
  exp: seconds,
  /** The id of the credential. */
  jti: z.string(),
  /** The same as `authorization_details`, as far as scope tokens can express it: an action with a colon has no scope token. */
  scope: z.string().optional(),
  authorization_details: z.array(grantedAccessSchema),
  /** The workload, if it acts for somebody else: RFC 8693 §4.1. */
  act: z.looseObject({ sub: z.string() }).optional(),
  /** The id of the root task: the same in all credentials below it. */
  txn: z.string(),
  task: z.object({ id: z.string(), lineage: z.array(z.string()), purpose: z.string() }),
  /** The parties behind the credential, as selectors of revocations name them. `issuer` is the trust name, not a URL. */
  origin: z.object({
    workload: z.string(),
    issuer: z.string(),
    owner: z.string().optional(),
    principal: z.string(),
  }),
  /** The causes that the credential hangs on, 16 characters each (see `cause` in domain/selector.ts). */
  causes: z.array(z.string()),
  /** `<generation>.<sequence>` of the revocation log when the credential was born. */
  epoch: z.string(),
});

export type AccessTokenClaims = z.infer<typeof accessTokenClaimsSchema>;
