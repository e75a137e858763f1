/** A token of ours, as somebody presents it: verified, and matched with what the ledger knows. A forged one has no record. */
import { BrokerError } from '../domain/errors.js';
import type { Credential } from '../domain/credential.js';
import { death, parseEpoch } from '../domain/liveness.js';
import { ACCESS_TOKEN_TYP, accessTokenClaimsSchema, type AccessTokenClaims } from '../protocol/access-token.js';
import { readCredentials } from '../ledger/credentials.js';
import type { Seen } from '../ledger/revocation-log.js';
import type { Deps } from './deps.js';

/** The claims, or undefined for whatever is not a valid, unexpired access token of this broker. */
export async function readPresented(
  { keys }: Pick<Deps, 'keys'>,
  token: string,
): Promise<AccessTokenClaims | undefined> {
  try {
    const parsed = accessTokenClaimsSchema.safeParse(await keys.verify(token, { typ: ACCESS_TOKEN_TYP }));
    return parsed.success ? parsed.data : undefined;
  } catch (error) {
    if (error instanceof BrokerError && error.code === 'invalid_token') return undefined;
    throw error;
  }
}

export async function recordOf(
  { ledger }: Pick<Deps, 'ledger'>,
  claims: AccessTokenClaims,
): Promise<Credential | undefined> {
  const [credential] = await readCredentials(ledger, [claims.jti]);
  return credential?.task === claims.task.id && credential.target === claims.aud ? credential : undefined;
}

/** @param seen A look at the token's causes, sent after the question arrived. */
export const isAlive = (
  claims: AccessTokenClaims,
  credential: Credential | undefined,
  seen: Seen,
  now: number,
): boolean =>
  credential !== undefined &&
  claims.exp * 1000 > now &&
  death('credential', parseEpoch(claims.epoch), seen.epoch.generation, seen.on(claims.causes)) === undefined;
