/** The access token a target receives: RFC 9068, with what the broker adds. Shared by the minter and every verifier. */
import { z } from 'zod';

/** RFC 9068 §2.1. */
export const ACCESS_TOKEN_TYP = 'at+jwt';

/** RFC 8693 §3. */
export const ACCESS_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token';

const seconds = z.number();

/** RFC 9396: some actions on one resource path (which may be a pattern) of one target. */
const grantedAccessSchema = z.object({
  /** The kind of target; a verifier passes over types that it does not know. */
  type: z.string(),
  locations: z.array(z.string()).length(1),
  identifier: z.string(),
  actions: z.array(z.string()),
});

/** Claims this version does not know are passed over: a newer broker may add some. */
export const accessTokenClaimsSchema = z.looseObject({
  iss: z.string(),
  /** Whom the task serves: the principal, or the workload itself. */
  sub: z.string(),
  /** The workload that holds the credential. */
  client_id: z.string(),
  /** The target. One, never a list. */
  aud: z.string(),
  iat: seconds,
  exp: seconds,
  /** The credential's id. */
  jti: z.string(),
  /** What `authorization_details` says, as far as scope tokens can say it: an action with a colon has no scope token. */
  scope: z.string().optional(),
  authorization_details: z.array(grantedAccessSchema),
  /** RFC 8693 §4.1; present when the workload acts for somebody else. */
  act: z.looseObject({ sub: z.string() }).optional(),
  /** The root of the task's lineage: the same in everything that was done for one purpose. */
  txn: z.string(),
  task: z.object({ id: z.string(), lineage: z.array(z.string()), purpose: z.string() }),
  /** Who stands behind it, in the words revocations use. `issuer` is the trust name, not a URL. */
  origin: z.object({
    workload: z.string(),
    issuer: z.string(),
    owner: z.string().optional(),
    principal: z.string(),
  }),
  /** Everything it hangs on: 16 characters each (see `cause` in domain/selector). */
  causes: z.array(z.string()),
  /** `<generation>.<sequence>` of the revocation log at birth. */
  epoch: z.string(),
});

export type AccessTokenClaims = z.infer<typeof accessTokenClaimsSchema>;
