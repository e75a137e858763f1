/** Tokens as assertions: RFC 7523, where a token authenticates a client (§2.2) or is the whole grant (§2.1). */
import { defined } from '../domain/defined.js';
import { sha256 } from '../domain/digest.js';
import { isName } from '../domain/name.js';
import type { JsonObject } from '../domain/json-object.js';
import type { AssertionFacts, Proof, SingleUse, TokenUse } from './proof.js';
import { Refused } from './token.js';

/** An assertion that is the whole grant is at most this old, and remembered as long, so that nobody uses it twice. */
const ASSERTION_AGE_SECONDS = 3_600;

/** Whoever steals an ID-JAG of a public client has all that it grants, so it is of use for as long as it takes to show it. */
const ID_JAG_AGE_SECONDS = 300;

/** Returns whether the token may be addressed to the token endpoint as well as to the issuer (RFC 7523 §3, 3). */
export const isAssertion = (use: TokenUse): boolean => use === 'client' || use === 'assertion';

/** Claims that OpenID Connect puts into ID Tokens alone. */
const LOGIN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash'];

export function assertionFacts(claims: JsonObject): AssertionFacts {
  const { iss, jti } = claims;
  return defined({
    iss: typeof iss === 'string' ? iss : undefined,
    jti: typeof jti === 'string' && isName(jti) ? jti : undefined,
    isForLogin: LOGIN_CLAIMS.some((name) => Object.hasOwn(claims, name)),
  });
}

/** Returns what must be remembered of an assertion that is the whole grant. Throws Refused for a token that was made for more. */
export function singleUse({ kind, party, times, assertion }: Proof, now: number, skewMs: number): SingleUse {
  const { iss = '', jti, isForLogin } = assertion;
  if (kind === 'oidc-access-token')
    throw new Refused('is an access token, which every API that gets it could send here');
  if (isForLogin) throw new Refused('is an ID token of a login');
  if (jti === undefined) throw new Refused('must have an id (jti), a name, because it can be used only once');
  const ageSeconds = kind === 'id-jag' ? ID_JAG_AGE_SECONDS : ASSERTION_AGE_SECONDS;
  const until = times.issuedAt + ageSeconds * 1000 + skewMs;
  if (until <= now) throw new Refused(`is too old; show one within ${ageSeconds} seconds of its issue (iat)`);
  // The name of the trust entry keeps apart what different issuers number alike. No name has a line break.
  return { id: sha256(`${party.issuer}\n${iss}\n${jti}`), until };
}
