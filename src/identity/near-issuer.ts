/** Issuers that are meant and not written: `iss` is compared byte for byte, and a slash at the end is enough to differ. */
import { CLAIM_CHARACTERS_MAX, isName } from '../domain/name.js';
import { likenessOfUrl } from '../domain/near-names.js';

/** @param trusted what stands in the configuration, and its place there as a person would say it */
export function createNearIssuer(trusted: readonly { issuer: string; place: string }[]) {
  const known = new Map(trusted.map((one) => [likenessOfUrl(one.issuer), one]));

  /** Returns what an operator should look at; undefined where no trusted issuer is like this one, or it is trusted itself. */
  return (iss: unknown): string | undefined => {
    if (typeof iss !== 'string' || !isName(iss, CLAIM_CHARACTERS_MAX)) return undefined;
    const near = known.get(likenessOfUrl(iss));
    if (near === undefined || near.issuer === iss) return undefined;
    return `The token comes from ${iss}, and ${near.place} trusts ${near.issuer}: the two are compared byte for byte.`;
  };
}
