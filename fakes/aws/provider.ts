/** An OIDC provider of the account, and its keys. */
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import type { ProviderOptions } from './options.js';

const ANSWER_WITHIN_MS = 5_000;

export interface Provider {
  arn: string;
  /** The issuer without its scheme. Condition keys such as `<name>:sub` begin with it. */
  name: string;
  clientIds: readonly string[];
  /** The keys of the issuer. Rejects if they cannot be fetched. */
  keys(wish?: { fresh: boolean }): Promise<JWTVerifyGetKey>;
}

export function createProvider({ issuer, clientIds, jwks }: ProviderOptions, account: string): Provider {
  const name = issuer.replace(/^https?:\/\//, '');
  let kept: { of: string; keys: JWTVerifyGetKey } | undefined;
  return {
    arn: `arn:aws:iam::${account}:oidc-provider/${name}`,
    name,
    clientIds,
    async keys({ fresh } = { fresh: false }) {
      if (kept && !fresh && !jwks) return kept.keys;
      const set = await (jwks ? jwks() : fetchKeys(issuer));
      const of = JSON.stringify(set);
      // The keys are imported again only if they changed, because importing keys is most of the work of a call.
      if (kept?.of !== of) kept = { of, keys: createLocalJWKSet(set) };
      return kept.keys;
    },
  };
}

/** OpenID Connect Discovery 1.0, section 4. */
async function fetchKeys(issuer: string): Promise<JSONWebKeySet> {
  const discovery = (await fetchJson(`${issuer}/.well-known/openid-configuration`)) as Record<string, unknown>;
  if (discovery['issuer'] !== issuer) throw new Error(`the discovery document is not that of ${issuer}`);
  return (await fetchJson(String(discovery['jwks_uri']))) as JSONWebKeySet;
}

async function fetchJson(url: string): Promise<unknown> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.json();
}
