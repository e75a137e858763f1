/** Identity from an OIDC issuer, such as a CI system, a Kubernetes cluster or an identity provider. */
import { isDocument, type OidcTrust } from '../config/trust-schema.js';
import { defined } from '../domain/defined.js';
import { CLAIM_CHARACTERS_MAX, isName } from '../domain/name.js';
import { prefixOf, type Known, type Party } from '../domain/party.js';
import {
  actorFrom,
  assertRequired,
  claimAt,
  groupsFrom,
  knownFrom,
  nameFrom,
  runFrom,
  textFrom,
} from './claim-values.js';
import { idJagFrom, isIdJag } from './id-jag.js';
import type { JsonObject } from '../domain/json-object.js';
import { hasLastingIds, joined, subjectName } from './lasting-id.js';
import type { TrustedIssuer } from './proof.js';
import { verifySignature } from './signature.js';
import { looksLikeSpiffe } from './spiffe.js';
import { checkHeader, Refused, type Unverified } from './token.js';
import type { TrustKeys } from './trust-keys.js';

const ACCESS_TOKEN = /^(application\/)?at\+jwt$/i;
const PLAIN = /^(jwt|jose)$/i;

export function createOidcIssuer(trust: OidcTrust, keys: TrustKeys, audiences: readonly string[]): TrustedIssuer {
  const isPerson = trust.represents === 'person';
  // An access token is made for another API and proves little here. It is accepted for persons, whose clients often have
  // nothing else. A workload can get a token for this broker, but some providers give that no other type.
  const { accessTokens = isPerson } = trust;
  const acceptsType = (typ: string) =>
    PLAIN.test(typ) || (accessTokens && ACCESS_TOKEN.test(typ)) || (trust.idJag !== undefined && isIdJag({ typ }));

  const verify = async (token: Unverified) => {
    const { header, claims } = token;
    if (claims['iss'] !== trust.issuer) throw new Refused('comes from another issuer');
    // Whoever holds the keys could otherwise be as many workloads as it likes, and a hold would reach one of them.
    if (isDocument(trust.jwks) && claims['sub'] !== trust.issuer)
      throw new Refused('is for another than the client itself');
    const used = await verifySignature(checkHeader(token, { algorithms: trust.algorithms, acceptsType }), keys);
    assertRequired(claims, trust.require);
    const party = isPerson ? personOf(trust, claims) : workloadOf(trust, claims);
    const isAccessToken = typeof header['typ'] === 'string' && ACCESS_TOKEN.test(header['typ']);
    const ofPerson = isPerson ? { mayAct: actorFrom(claims), issuedTo: issuedTo(claims, isAccessToken) } : {};
    const verified = defined({ party, keys: used, ...ofPerson, isForActor: isForActor(claims) || undefined });
    if (isIdJag(header)) return { ...verified, kind: 'id-jag' as const, idJag: idJagFrom(claims, trust) };
    return { ...verified, kind: isAccessToken ? ('oidc-access-token' as const) : ('oidc' as const) };
  };
  return defined({ audiences, keys, proofAgeSeconds: trust.proofAgeMax, idJag: trust.idJag, verify });
}

/** `azp` of OpenID Connect Core §2, `client_id` of RFC 9068 §2.2, and what Okta and Entra call it in access tokens. */
const ISSUED_TO = ['azp', 'client_id', 'cid', 'appid'];

const NOBODY = '';

/**
 * Returns the clients that the token names as those that got it. One that is no text is no client that anybody trusts; nor is that
 * of an access token which names none, as RFC 9068 §2.2 demands: its audience says nothing of who got it.
 */
function issuedTo(claims: JsonObject, isAccessToken: boolean): string[] | undefined {
  const said = ISSUED_TO.filter((name) => Object.hasOwn(claims, name)).map((name) => claims[name]);
  if (said.length === 0) return isAccessToken ? [NOBODY] : undefined;
  return said.map((client) => (typeof client === 'string' ? client : NOBODY));
}

/** RFC 8693 §4.1, §4.4: whoever acts for the subject holds this token, or is meant to. */
const isForActor = (claims: JsonObject): boolean => ['act', 'may_act'].some((name) => Object.hasOwn(claims, name));

function workloadOf(trust: OidcTrust, claims: JsonObject): Party {
  // Nothing here proves the key, so whoever steals the token would be let in. A person's token is shown by a workload that has proven itself.
  if (Object.hasOwn(claims, 'cnf')) throw new Refused('is for the holder of a key (cnf), which nothing here proves');
  const owner = ownerOf(trust, claims);
  const known = knownOf(trust, claims);
  return defined({
    kind: 'workload',
    ...namesOf(trust, claims),
    issuer: trust.name,
    owner,
    claims: known.claims,
    unread: unlessEmpty(known.unread),
    groups: [],
    run: runFrom(claims, trust.run),
  });
}

/**
 * Returns the id of a workload, and its subject where that says something else. A subject that no id is made of need not be a
 * name: some issuers write the branch into it, in whatever letters.
 */
function namesOf(trust: OidcTrust, claims: JsonObject): Pick<Party, 'id' | 'subject'> {
  if (!hasLastingIds(trust)) return { id: idFrom(trust, claims['sub']) };
  const parts = trust.workload.map((name) => nameFrom(claimAt(claims, name), `a claim ${name} for its id`));
  const id = idFrom(trust, joined(parts), 'an id made of trust[].workload');
  const subject = ownSubject(textFrom(claims['sub'], 'a subject'));
  // Half a character has no bytes of its own: two such texts would have one digest, and so one name.
  if (subject === '' || /\p{Surrogate}/u.test(subject)) throw new Refused('has a subject that is empty or not Unicode');
  return { id, subject: subjectName(trust, subject) };
}

function personOf(trust: OidcTrust, claims: JsonObject): Party {
  const known = knownOf(trust, claims);
  const { groups, isWhole } = trust.groups ? groupsFrom(claims, trust.groups) : { groups: [], isWhole: true };
  const unread = isWhole || !trust.groups ? known.unread : [...new Set([...known.unread, trust.groups.claim])];
  return defined({
    kind: 'person',
    id: idFrom(trust, claims['sub']),
    session: sessionOf(trust, claims['sid']),
    issuer: trust.name,
    claims: known.claims,
    unread: unlessEmpty(unread),
    groups,
  });
}

/**
 * Returns the session of a person. The trust name before it keeps the sessions of issuers apart, since each invents its own ids. One
 * that is no name is left out: it could not be revoked, and who hears that it ended takes the person to be meant.
 */
const sessionOf = (trust: OidcTrust, sid: unknown): string | undefined =>
  typeof sid === 'string' && isName(sid, CLAIM_CHARACTERS_MAX) ? `${prefixOf(trust)}${sid}` : undefined;

const idFrom = ({ name }: OidcTrust, value: unknown, what = 'a subject'): string =>
  `${name}:${ownSubject(nameFrom(value, what))}`;

function ownSubject(subject: string): string {
  if (looksLikeSpiffe(subject)) throw new Refused('names a SPIFFE ID, which its issuer cannot vouch for');
  return subject;
}

function ownerOf({ owner }: OidcTrust, claims: JsonObject): string | undefined {
  if (!owner) return undefined;
  return 'value' in owner ? owner.value : nameFrom(claimAt(claims, owner.claim), 'an owning team');
}

/** Claims are for policy alone, except for the address: a party can be revoked by it. */
function knownOf(trust: OidcTrust, claims: JsonObject): Known {
  const known = knownFrom(claims, trust.claims);
  if (trust.claims.includes('email') && Object.hasOwn(claims, 'email')) nameFrom(claims['email'], 'an e-mail address');
  return known;
}

const unlessEmpty = (names: readonly string[]) => (names.length > 0 ? names : undefined);
