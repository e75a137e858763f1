/** A credential of ours as proof: whoever holds one for this very endpoint acts for its workload, under its task, until it ends. */
import { isWithin, type Access } from '../domain/access.js';
import { sha256 } from '../domain/digest.js';
import { BrokerError } from '../domain/errors.js';
import type { Deps } from './deps.js';
import type { Requester } from './requester.js';
import { readPresented, recordOf } from './presented-token.js';

interface Wanted {
  /** The `aud` that the token must have: a token for any other API is that API's to use, and not to turn into more. */
  audience: string;
  /** What it must allow there. */
  access: Access;
}

/** Undefined: it is no token of ours. Whether it lives is seen with everything else, in the look of the admission. */
export async function requesterByCredential(
  deps: Pick<Deps, 'keys' | 'ledger' | 'observer'>,
  token: string,
  { audience, access }: Wanted,
): Promise<Requester | undefined> {
  const claims = await readPresented(deps, token);
  if (!claims) return undefined;
  const found = await recordOf(deps, claims);
  if (!found || claims.aud !== audience) {
    throw new BrokerError('invalid_token', 'The token presented is not for this endpoint.');
  }
  const { credential, task } = found;
  const granted = credential.access.map((one) => ({ target: audience, ...one }));
  if (!isWithin(granted, audience, [access])) {
    throw new BrokerError('access_denied', 'The token presented was not granted for that target.');
  }
  const caller = {
    party: { ...task.workload, claims: credential.claims ?? {}, groups: [] },
    proofHash: sha256(token),
    issuedAt: credential.issuedAt,
    expiresAt: credential.expiresAt,
  };
  return { caller, from: found };
}
