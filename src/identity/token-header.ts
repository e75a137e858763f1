/** What a token's header may say. It is never asked where keys are: `jku`, `jwk`, `x5u`, `x5c` are not read. */
import { Refused } from './refused.js';
import type { JsonObject } from './json-object.js';

interface HeaderRules {
  algorithms: readonly string[];
  acceptsType: (typ: string) => boolean;
  /** When given, a header parameter with another name refuses the token. */
  only?: readonly string[];
}

export function checkHeader(header: JsonObject, { algorithms, acceptsType, only }: HeaderRules): void {
  const { alg, typ, kid } = header;
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    throw new Refused(`must be signed with ${algorithms.join(' or ')}`);
  }
  // A JWT made for another purpose (security event, DPoP proof, logout) carries its own type and is no identity.
  if (typ !== undefined && (typeof typ !== 'string' || !acceptsType(typ))) {
    throw new Refused('is of a type that is not taken as proof of identity');
  }
  if (kid !== undefined && typeof kid !== 'string') throw new Refused('has a key id that is not text');
  // No extension is understood here, and `crit` demands that those it lists are (RFC 7515 §4.1.11).
  if (Object.hasOwn(header, 'crit')) throw new Refused('demands a header extension');
  if (only && Object.keys(header).some((parameter) => !only.includes(parameter))) {
    throw new Refused(`may have no header but ${only.join(', ')}`);
  }
}
