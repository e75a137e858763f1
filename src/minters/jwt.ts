/** Mints JWT access tokens (RFC 9068). A token contains everything that a target needs to check a call by itself. */
import type { Keys } from '../keys/keys.js';
import { ACCESS_TOKEN_TYP } from '../protocol/access-token.js';
import { claimsOf } from '../targets/access-token-claims.js';
import type { Minter } from './minter.js';

export function createJwtMinter({ keys, issuer }: { keys: Pick<Keys, 'sign'>; issuer: string }): Minter {
  return {
    kind: 'jwt',
    async mint(credential, task) {
      const token = await keys.sign(claimsOf(issuer, credential, task), { typ: ACCESS_TOKEN_TYP });
      return { material: { kind: 'jwt', token } };
    },
  };
}
