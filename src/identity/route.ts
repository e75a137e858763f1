/**
 * Chooses the trusted issuer that must verify a token: by trust domain when the subject is a SPIFFE ID, otherwise by `iss`.
 * Never both, so that an OIDC issuer cannot vouch for a SPIFFE ID, nor a SPIFFE bundle for an OIDC subject.
 */
import type { Trust } from '../config/trust-schema.js';
import type { Clock } from '../domain/time.js';
import type { JsonObject } from '../domain/json-object.js';
import { trustDomainOf } from '../domain/spiffe-id.js';
import type { TrustedKeys } from './issuer-keys.js';
import { createNearIssuer } from './near-issuer.js';
import { createOidcIssuer } from './oidc.js';
import { isIdJag } from './id-jag.js';
import { isAssertion } from './assertion.js';
import type { TokenUse, TrustedIssuer } from './proof.js';
import { createSpiffeIssuer, looksLikeSpiffe } from './spiffe.js';
import { TOKEN_PATH } from '../protocol/oauth.js';
import { Refused, type Unverified } from './token.js';
import type { TrustKeys } from './trust-keys.js';

export interface IdentifySetup {
  issuers: readonly Pick<TrustedKeys, 'trust' | 'keys'>[];
  /** The broker's own issuer. It is the default audience, and its tokens prove no identity. */
  issuer: string;
  clock: Clock;
  clockSkewSeconds: number;
  /** What else workloads are called as OAuth clients, each name with the id of its workload. */
  clientIds?: Readonly<Record<string, string>>;
}

export function createRoute(setup: IdentifySetup): (token: Unverified, use: TokenUse) => TrustedIssuer {
  const issuers = setup.issuers.map(({ trust, keys }) => ({ trust, issuer: createIssuer(trust, keys, setup.issuer) }));
  const under = (key: string) => issuers.filter(({ trust }) => keyOf(trust) === key).map(({ issuer }) => issuer);
  const routes = new Map(issuers.map(({ trust }) => [keyOf(trust), under(keyOf(trust))]));

  const adviceFor = createNearIssuer(
    setup.issuers.flatMap(({ trust }) =>
      trust.kind === 'oidc' ? [{ issuer: trust.issuer, place: `trust entry ${trust.name}` }] : [],
    ),
  );

  return ({ header, claims }, use) => {
    const { iss, sub } = claims;
    if (iss === setup.issuer) throw new Refused(OWN_CREDENTIAL);
    const candidates = routes.get(claimedKey(claims) ?? '');
    if (!candidates && looksLikeSpiffe(sub)) throw new Refused(NO_TRUST_DOMAIN);
    if (!candidates) throw new Refused('comes from no issuer that is trusted here', adviceFor(iss));
    const named = soleAudience(claims['aud']);
    const granting = isIdJag(header) ? candidates.find(({ idJag }) => idJag) : undefined;
    if (granting) {
      // It is for an authorization server. What the entry expects of other tokens may be the name of any client.
      if (named !== setup.issuer) throw new Refused(`must have exactly the audience ${setup.issuer}, and no other`);
      return granting;
    }
    const isForTokenEndpoint = isAssertion(use) && named === `${setup.issuer}${TOKEN_PATH}`;
    const takenAs = [named, isForTokenEndpoint ? setup.issuer : undefined].filter((one) => one !== undefined);
    for (const audience of takenAs) {
      const issuer = candidates.find(({ audiences }) => audiences.includes(audience));
      if (issuer) return issuer;
    }
    const accepted = candidates.flatMap(({ audiences }) => audiences).join(' or ');
    const several = Array.isArray(claims['aud']) && claims['aud'].length > 1 ? SEVERAL : '';
    throw new Refused(`must have exactly the audience ${accepted}, and no other${several}`);
  };
}

/** Whoever wrote `iss` may be anybody: the text says what to do, and not whether the credential is one. */
const OWN_CREDENTIAL =
  'names this broker as its issuer, and what the broker issues proves no identity; present the identity token that your platform gives you';

/** Most who come here cannot know which setting of their provider adds an audience. The page says more than fits here. */
const SEVERAL =
  '; it has several: in Keycloak, turn off "Full scope allowed" of the client, or take the client scope `roles` from it; in ZITADEL, use a service user that asks for the audience of one project';

/** SPIRE's OIDC Discovery Provider makes the keys of a trust domain look like those of an OIDC issuer. */
const NO_TRUST_DOMAIN =
  'is for a SPIFFE ID of a trust domain that is not trusted here; an entry with `kind: spiffe` and the bundle of the trust domain takes it, and one with `kind: oidc` never does';

function createIssuer(trust: Trust, keys: TrustKeys, ownIssuer: string): TrustedIssuer {
  const audiences = trust.audiences ?? [ownIssuer];
  return trust.kind === 'oidc' ? createOidcIssuer(trust, keys, audiences) : createSpiffeIssuer(trust, keys, audiences);
}

const keyOf = (trust: Trust): string =>
  trust.kind === 'oidc' ? `oidc ${trust.issuer}` : `spiffe ${trust.trustDomain}`;

function claimedKey({ iss, sub }: JsonObject): string | undefined {
  if (looksLikeSpiffe(sub)) {
    const trustDomain = trustDomainOf(String(sub));
    if (trustDomain === undefined) throw new Refused('has a subject that is not a well-formed SPIFFE ID');
    return `spiffe ${trustDomain}`;
  }
  return typeof iss === 'string' ? `oidc ${iss}` : undefined;
}

/**
 * Returns the only audience of the token; undefined when it has several, because any other recipient could replay it here.
 */
export function soleAudience(aud: unknown): string | undefined {
  const audiences: unknown[] = Array.isArray(aud) ? aud : [aud];
  const [only] = audiences;
  return audiences.length === 1 && typeof only === 'string' ? only : undefined;
}
