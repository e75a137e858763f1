/** What a token says about itself: that the broker has signed it for this API, as an access token, and that it is not over. */
import { errors, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { HARD_LIMITS } from '../domain/limits.js';
import { isClaims, type Claims } from './claims.js';
import { VerificationError, type VerificationReason } from './errors.js';
import { KeysUnavailable } from './keys.js';

interface Expected {
  issuer: string;
  audience: string;
  keys: JWTVerifyGetKey;
}

/** The broker makes no larger ones than it reads. */
const TOKEN_CHARACTERS_MAX = HARD_LIMITS.subjectTokenBytes;
/** jose would also read some texts that are no JWS, such as one with padding. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const ALGORITHMS = ['ES256'];
/** RFC 9068 §2.1. */
const TYP = 'at+jwt';

/** Returns the claims. Throws a VerificationError. @param now milliseconds since 1970 */
export async function readToken(token: string, { issuer, audience, keys }: Expected, now: number): Promise<Claims> {
  if (typeof token !== 'string' || token.length > TOKEN_CHARACTERS_MAX || !COMPACT.test(token))
    throw new VerificationError('malformed');
  const { payload } = await jwtVerify(token, keys, {
    algorithms: ALGORITHMS,
    typ: TYP,
    issuer,
    audience,
    currentDate: new Date(now),
  }).catch((error: unknown) => {
    throw new VerificationError(reasonOf(error), { cause: error });
  });
  // An audience of several APIs is not made by the broker, and neither is one that lives longer than a revocation is remembered.
  if (!isClaims(payload)) throw new VerificationError('kind');
  if (payload.exp * 1000 > now + LIFE_MS_MAX) throw new VerificationError('kind');
  return payload;
}

const LIFE_MS_MAX = (HARD_LIMITS.credentialLifetimeSeconds + HARD_LIMITS.clockSkewSeconds) * 1000;

const CLAIMS: Readonly<Record<string, VerificationReason>> = {
  iss: 'issuer',
  aud: 'audience',
  exp: 'expired',
};

/** An error that is none of a token is of the way to the keys: then nothing is known of the token. */
function reasonOf(error: unknown): VerificationReason {
  if (error instanceof KeysUnavailable) return 'keys';
  if (error instanceof errors.JWTExpired) return 'expired';
  if (error instanceof errors.JWTClaimValidationFailed) return CLAIMS[error.claim] ?? 'kind';
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) return 'malformed';
  if (error instanceof errors.JOSEError) return 'signature';
  return 'keys';
}
