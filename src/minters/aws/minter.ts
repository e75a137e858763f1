/** Mints sessions of IAM roles at AWS STS, the broker being an OIDC provider there: no key of AWS exists anywhere. */
import { hash } from 'node:crypto';
import type { Credential } from '../../domain/credential.js';
import type { Enforcer, Minted, Minter } from '../minter.js';
import { watchAwsClock } from './aws-clock.js';
import type { AwsMinterDeps } from './deps.js';
import { createEnforcer } from './enforcer.js';
import { toInstant } from './instant.js';
import { assertFits } from './mintable.js';
import { createRole, type Role } from './role.js';
import { sessionPolicy } from './session-policy.js';
import type { AwsSession } from './sts.js';

/** Throws where AWS is in none of the partitions known here and the target does not say where it is. */
export function createAwsMinter(given: AwsMinterDeps): Minter & { enforcer: Enforcer } {
  const deps = { ...given, awsClock: watchAwsClock(given.clock) };
  const roles = new Map(deps.targets.map((target) => [target.resource, createRole(target, deps)]));
  return {
    kind: 'aws-sts',
    lifetimeSecondsMax: (target) => known(roles, target).target.aws.lifetimeMax,
    async assertMintable(credential) {
      const { target, pace } = known(roles, credential.target);
      assertFits(credential, target);
      await pace.assertReady();
    },
    async mint(credential, task) {
      const role = known(roles, credential.target);
      const policy = sessionPolicy(credential.access, credential.expiresAt);
      return minted(credential, policy, await role.newSession(credential, task, policy));
    },
    enforcer: createEnforcer(deps),
  };
}

function known(roles: ReadonlyMap<string, Role>, target: string): Role {
  const role = roles.get(target);
  if (!role) throw new Error('the target is no role of this broker');
  return role;
}

/** Said to expire at the deadline, not when AWS forgets them: so whoever holds them fetches new ones in time. */
function minted({ expiresAt }: Credential, policy: string, session: AwsSession): Minted {
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  return {
    material: { kind: 'aws-sts', accessKeyId, secretAccessKey, sessionToken, expiration: toInstant(expiresAt) },
    handle: accessKeyId,
    scopeHash: hash('sha256', policy, 'base64url'),
  };
}
