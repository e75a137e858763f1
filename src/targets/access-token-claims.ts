/**
 * The claims of an access token, made from the records and from nothing else. The minter signs them, and whoever is shown a
 * token makes them again: a token that says anything else was not signed by this broker, whatever key it was signed with. So a
 * release that changes a claim must let the tokens of the release before live out their hour.
 */
import type { Credential } from '../domain/credential.js';
import { defined } from '../domain/defined.js';
import { credentialCauses } from '../domain/hangs-on.js';
import type { PartyRef } from '../domain/party.js';
import type { Task } from '../domain/task.js';
import { toSeconds } from '../domain/time.js';
import type { AccessTokenClaims } from '../protocol/access-token.js';
import { detailsOf, scopeOf } from './requested-access.js';

export function claimsOf(issuer: string, credential: Credential, task: Task): AccessTokenClaims {
  const { workload } = task;
  const principal = task.principal ?? workload;
  const scope = scopeOf(credential.access, credential.scopes);
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
    ...actOf(task, principal),
    txn: task.lineage[0] ?? task.id,
    task: { id: task.id, lineage: task.lineage, purpose: task.purpose },
    origin: defined({ workload: workload.id, issuer: workload.issuer, owner: workload.owner, principal: principal.id }),
    causes: credentialCauses(credential, task),
    epoch: credential.epoch,
  };
}

/**
 * Returns who acts for the principal, whoever holds the credential outermost (RFC 8693 §4.1). A workload that handed on what it does
 * for itself is the principal: it is named as that, and not as an actor too.
 */
function actOf({ workload, chain = [] }: Task, principal: PartyRef): Pick<AccessTokenClaims, 'act'> {
  if (principal.id === workload.id) return {};
  const before = chain.filter(({ id }) => id !== principal.id);
  const act = before.reduceRight<Actor | undefined>((act, { id }) => defined({ sub: id, act }), undefined);
  return { act: defined({ sub: workload.id, act }) };
}

interface Actor {
  sub: string;
  act?: Actor;
}
