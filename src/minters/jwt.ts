/** Mints JWT access tokens (RFC 9068). A token contains everything that a target needs to check a call by itself. */
import type { Credential } from '../domain/credential.js';
import { defined } from '../domain/defined.js';
import { credentialCauses } from '../domain/hangs-on.js';
import type { Task } from '../domain/task.js';
import { toSeconds } from '../domain/time.js';
import type { Keys } from '../keys/keys.js';
import { ACCESS_TOKEN_TYP, type AccessTokenClaims } from '../protocol/access-token.js';
import { detailsOf, scopeOf } from '../targets/requested-access.js';
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

function claimsOf(issuer: string, credential: Credential, task: Task): AccessTokenClaims {
  const { workload } = task;
  const principal = task.principal ?? workload;
  const scope = scopeOf(credential.access);
  return {
    iss: issuer,
    sub: principal.id,
    client_id: workload.id,
    aud: credential.target,
    iat: toSeconds(credential.issuedAt),
    // The time is rounded down: the token must not outlive its record by a fraction of a second.
    exp: toSeconds(credential.expiresAt),
    jti: credential.id,
    ...(scope !== '' && { scope }),
    authorization_details: detailsOf(credential.target, credential.access),
    ...(principal.id !== workload.id && { act: { sub: workload.id } }),
    txn: task.lineage[0] ?? task.id,
    task: { id: task.id, lineage: task.lineage, purpose: task.purpose },
    origin: defined({ workload: workload.id, issuer: workload.issuer, owner: workload.owner, principal: principal.id }),
    causes: credentialCauses(credential, task),
    epoch: credential.epoch,
  };
}
