/** The token of AssumeRoleWithWebIdentity. Its signature is verified with the keys of an OIDC provider of the account. */
import { compactVerify, decodeJwt, errors } from 'jose';
import { z } from 'zod';
import type { Account } from './account.js';
import { AwsError, validationError } from './aws-error.js';
import { toInstant } from './grammar.js';
import type { Provider } from './provider.js';
import { checkName, checkTags, type SessionTags } from './session-tags.js';

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'];
/** The time after `exp` for which AWS was observed to accept a token. */
const GRACE_SECONDS = 300;

const claimsSchema = z.looseObject({
  iss: z.string(),
  sub: z.string().min(1),
  aud: z.string(),
  iat: z.int(),
  exp: z.int(),
  nbf: z.int().optional(),
  'https://aws.amazon.com/tags': z
    .strictObject({
      principal_tags: z.record(z.string(), z.tuple([z.string()])),
      transitive_tag_keys: z.array(z.string()).default([]),
    })
    .optional(),
  'https://aws.amazon.com/source_identity': z.string().optional(),
});
export type IdentityClaims = z.output<typeof claimsSchema>;

export interface WebIdentity {
  provider: Provider;
  claims: IdentityClaims;
  tags: SessionTags;
  sourceIdentity: string | undefined;
}

export async function verifyWebIdentity(account: Account, token: string): Promise<WebIdentity> {
  if (token.length < 4 || token.length > 20_000) throw validationError(`webIdentityToken has the wrong length`);
  const provider = account.providers.get(unverifiedIssuer(token));
  if (!provider) throw invalid('No OpenIDConnect provider found in your account for the issuer');
  const claims = readClaims(await verifiedPayload(provider, token));
  if (!provider.clientIds.includes(claims.aud)) throw invalid('Incorrect token audience');
  checkTimes(claims, account.now());
  const { principal_tags, transitive_tag_keys } = claims['https://aws.amazon.com/tags'] ?? {};
  const pairs = Object.entries(principal_tags ?? {}).map(([key, [value]]): [string, string] => [key, value]);
  const sourceIdentity = claims['https://aws.amazon.com/source_identity'];
  return {
    provider,
    claims,
    tags: checkTags(pairs, transitive_tag_keys ?? []),
    sourceIdentity: sourceIdentity === undefined ? undefined : checkName('SourceIdentity', sourceIdentity),
  };
}

function unverifiedIssuer(token: string): string {
  try {
    return decodeJwt(token).iss ?? '';
  } catch {
    throw invalid('The ID Token provided is not a valid JWT');
  }
}

async function verifiedPayload(provider: Provider, token: string): Promise<Uint8Array> {
  const attempt = async (fresh: boolean) => {
    const keys = await provider.keys({ fresh }).catch(() => {
      throw invalid("Couldn't retrieve verification key from your identity provider");
    });
    return (await compactVerify(token, keys, { algorithms: ALGORITHMS })).payload;
  };
  try {
    return await attempt(false).catch((error: unknown) => {
      if (error instanceof errors.JWKSNoMatchingKey) return attempt(true);
      throw error;
    });
  } catch (error) {
    if (error instanceof AwsError) throw error;
    throw invalid('Token signature invalid, or not by a key and algorithm that is accepted');
  }
}

function readClaims(payload: Uint8Array): IdentityClaims {
  const claims = claimsSchema.safeParse(JSON.parse(new TextDecoder().decode(payload)));
  if (claims.success) return claims.data;
  throw invalid(`Claim ${claims.error.issues[0]?.path.join('.') ?? ''} is missing or malformed`);
}

function checkTimes({ exp, iat, nbf = iat }: IdentityClaims, now: number): void {
  const seconds = Math.floor(now / 1_000);
  if (seconds >= exp + GRACE_SECONDS)
    throw new AwsError('ExpiredTokenException', `Token expired: ${toInstant(now)} is after ${toInstant(exp * 1_000)}`);
  if (Math.max(iat, nbf) > seconds + GRACE_SECONDS) throw invalid('Token is not yet valid');
}

const invalid = (message: string): AwsError => new AwsError('InvalidIdentityToken', message);
