/**
 * ID-JAG: an identity provider grants a client that it may act here for a person who has logged in there
 * (draft-ietf-oauth-identity-assertion-authz-grant). It is a grant, and no identity: it is taken as `assertion` alone.
 */
import type { OidcTrust } from '../config/trust-schema.js';
import { defined } from '../domain/defined.js';
import type { JsonObject } from '../domain/json-object.js';
import { NAME_CHARACTERS_MAX } from '../domain/name.js';
import { entriesOf, nameFrom, textFrom } from './claim-values.js';
import { Refused } from './token.js';

/** What an ID-JAG says beside who the person is. What it bounds is read where requests are read: the words are those of requests. */
export interface IdJag {
  /** Whom it was issued to, and nobody else. */
  clientId: string;
  /** The targets that it is for; absent: any. */
  resources?: readonly string[];
  scope?: string;
  /** A list that nobody has looked into. */
  authorizationDetails?: readonly unknown[];
}

const TYPE = /^(application\/)?oauth-id-jag\+jwt$/i;

export const isIdJag = ({ typ }: JsonObject): boolean => typeof typ === 'string' && TYPE.test(typ);

/** What narrows an ID-JAG in a way that nothing here keeps: another actor, and a key that the client must prove. */
const NOT_KEPT = ['act', 'cnf'];

/** Where one issuer signs for several tenants, a `sub` may be somebody else in each. The configuration can pin which one is meant. */
const TENANTS = ['tenant', 'aud_tenant'];

/** Throws Refused for one that is bounded by anything that would be lost here. */
export function idJagFrom(claims: JsonObject, { require = {} }: Pick<OidcTrust, 'require'>): IdJag {
  const lost = [...NOT_KEPT, ...TENANTS.filter((name) => !Object.hasOwn(require, name))];
  const found = lost.find((name) => Object.hasOwn(claims, name));
  if (found !== undefined) throw new Refused(`has the claim ${found}, by which it means less than could be kept here`);
  const { client_id: clientId, resource, scope, authorization_details: details } = claims;
  if (details !== undefined && !Array.isArray(details)) throw new Refused('has authorization_details that are no list');
  return defined({
    clientId: nameFrom(clientId, 'a client (client_id)', NAME_CHARACTERS_MAX),
    resources: resource === undefined ? undefined : entriesOf(resource).map((one) => textFrom(one, 'a resource')),
    scope: scope === undefined ? undefined : textFrom(scope, 'a scope'),
    authorizationDetails: details,
  });
}
