/** Mints sessions of IAM roles at AWS STS. The broker is an OIDC provider of the account, so there is no AWS key anywhere. */
import type { Credential } from '../../domain/credential.js';
import { sha256 } from '../../domain/digest.js';
import type { Enforcer, Minted, Minter } from '../minter.js';
import { watchAwsClock } from './aws-clock.js';
import { checkMintable } from './check-mintable.js';
import { toInstant, type AwsMinterDeps } from './context.js';
import { createEnforcer } from './enforcer.js';
import { createRole, type Role } from './role.js';
import { sessionPolicy } from './session-policy.js';
import type { AwsSession } from './sts.js';

/** Throws where a role lies in a partition that is not known here, and its target does not name the endpoints. */
export function createAwsMinter(deps: AwsMinterDeps): Minter & { enforcer: Enforcer } {
  const context = { ...deps, awsClock: watchAwsClock(deps.clock) };
  const roles = new Map(deps.targets.map((target) => [target.resource, createRole(target, context)]));
  return {
    kind: 'aws-sts',
    lifetimeSecondsMax: (target) => roleOf(roles, target).target.aws.lifetimeMax,
    async assertMintable(credential) {
      const { target, throttle } = roleOf(roles, credential.target);
      checkMintable(credential, target);
      await throttle.assertReady();
    },
    async mint(credential, task) {
      const role = roleOf(roles, credential.target);
      const policy = sessionPolicy(credential.access, credential.expiresAt);
      return minted(credential, policy, await role.newSession(credential, task, policy));
    },
    enforcer: createEnforcer(context),
  };
}

function roleOf(roles: ReadonlyMap<string, Role>, target: string): Role {
  const role = roles.get(target);
  if (!role) throw new Error('the target is no role of this broker');
  return role;
}

/** `expiration` is the deadline, not the later time at which AWS forgets the session: so the holder fetches new ones in time. */
function minted({ expiresAt }: Credential, policy: string, session: AwsSession): Minted {
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  return {
    material: { kind: 'aws-sts', accessKeyId, secretAccessKey, sessionToken, expiration: toInstant(expiresAt) },
    handle: accessKeyId,
    scopeHash: sha256(policy),
  };
}
