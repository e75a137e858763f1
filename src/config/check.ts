/** Checks what a schema cannot express: whether the parts of a configuration fit each other. */
import { FENCE_MS } from '../domain/timing.js';
import type { TargetKind } from '../targets/kind.js';
import { kindOf, kindOfTarget, KINDS } from '../targets/kinds.js';
import { approvalFindings } from './check-approvals.js';
import { signalFindings } from './check-signals.js';
import { trustFindings } from './check-trust.js';
import type { Finding } from './problem.js';
import { claimsOf, repeated, type Claim } from './repeated.js';
import type { Config, Target } from './schema.js';
import type { SoundParts } from './sound-parts.js';

export function fitFindings(parts: SoundParts): Finding[] {
  return [
    ...trustFindings(parts),
    ...repeated(
      [...claimsOf(['targets'], parts.targets, 'resource'), ...aliasClaims(parts)],
      'is the name of another target',
    ),
    ...repeated(gatewayClaims(parts), 'is the name of another target for gateways'),
    ...purposeFindings(parts),
    ...identityFindings(parts),
    ...skewFindings(parts),
    ...listenerFindings(parts),
    ...lifetimeFindings(parts),
    ...secretFindings(parts),
    ...authorityFindings(parts),
    ...redisFindings(parts),
    ...parts.targets.flatMap((target, index) => targetFindings(target, index, parts.targets)),
    ...signalFindings(parts),
    ...approvalFindings(parts),
  ];
}

/** The other names of targets. */
const aliasClaims = ({ targets }: SoundParts): Claim[] =>
  targets.flatMap((target, index) =>
    target && 'audiences' in target
      ? target.audiences.map((alias, at): Claim => [['targets', index, 'audiences', at], alias])
      : [],
  );

const gatewayClaims = ({ targets }: SoundParts): Claim[] =>
  targets.flatMap((target, index): Claim[] =>
    target && 'forwardAuth' in target ? [[['targets', index, 'forwardAuth', 'name'], target.forwardAuth.name]] : [],
  );

const purposeFindings = ({ targets, purposes }: SoundParts): Finding[] =>
  targets.flatMap((target, index): Finding[] => {
    const purpose = target && 'defaultPurpose' in target ? target.defaultPurpose : undefined;
    if (purpose === undefined || !purposes || Object.hasOwn(purposes, purpose)) return [];
    return [{ path: ['targets', index, 'defaultPurpose'], reason: 'is none of `purposes`' }];
  });

function targetFindings(
  target: Target | undefined,
  index: number,
  targets: readonly (Target | undefined)[],
): Finding[] {
  if (!target) return [];
  const { name, resourceNoun } = kindOfTarget(target.resource);
  if (name !== target.minter)
    return [{ path: ['targets', index, 'minter'], reason: `must be ${name}: the resource is ${resourceNoun}` }];
  const resources = new Set(targets.flatMap((other) => other?.resource ?? []));
  const problems = kindOf(name).settingProblems?.(target, resources) ?? [];
  return problems.map(({ path, reason }) => ({ path: ['targets', index, ...path], reason }));
}

/** Two resources may name one target of a vendor. */
const identityFindings = ({ targets }: SoundParts): Finding[] =>
  Object.values<TargetKind>(KINDS).flatMap(({ name, identity }) => {
    if (!identity) return [];
    const claims = targets.flatMap((target, index): Claim[] =>
      target?.minter === name ? [[['targets', index, 'resource'], identity.of(target.resource)]] : [],
    );
    return repeated(claims, identity.clash);
  });

/** A target that revocations are pushed to compares deadlines and cutoffs with its own clock. */
function skewFindings({ lifetimes, targets }: SoundParts): Finding[] {
  if ((lifetimes?.clockSkew ?? 0) * 1000 <= FENCE_MS) return [];
  const enforced = targets.find((one) => one && kindOf(one.minter).enforced);
  const reason = `is more than ${FENCE_MS / 1000}, the most that targets with minter ${enforced?.minter} allow for`;
  return enforced ? [{ path: ['lifetimes', 'clockSkew'], reason }] : [];
}

function listenerFindings({ listen, operations }: SoundParts): Finding[] {
  if (listen === undefined || listen !== operations || listen.endsWith(':0')) return [];
  return [{ path: ['operations'], reason: 'is where the API listens: metrics would be public' }];
}

function lifetimeFindings({ lifetimes }: SoundParts): Finding[] {
  if (!lifetimes) return [];
  const pairs = [
    ['credential', 'credentialMax'],
    ['task', 'taskMax'],
  ] as const;
  return pairs
    .filter(([usual, most]) => lifetimes[usual] > lifetimes[most])
    .map(([usual, most]) => ({ path: ['lifetimes', usual], reason: `is more than lifetimes.${most}` }));
}

function redisFindings({ store, redis }: SoundParts): Finding[] {
  if (!redis) return [];
  const isCluster = typeof store === 'object' && 'redis' in store;
  const [trusts, keeps] = [redis.onRestart === 'trust', redis.onFailover === 'keep'];
  const found: [string, boolean, string][] = [
    // A restored backup of Redis confirms all that Redis is asked: what was revoked since would live again.
    ['onRestart', trusts && redis.seenDirectory === undefined, 'needs `redis.seenDirectory`, to notice a Redis that was set back'],
    ['onFailover', keeps && redis.replicas === 0, 'needs `redis.replicas`: all that can be promoted'],
    ['onFailover', keeps && isCluster, 'is not for a Cluster, whose shards fail one by one'],
  ]; // prettier-ignore
  return found.filter(([, wrong]) => wrong).map(([field, , reason]) => ({ path: ['redis', field], reason }));
}

function secretFindings({ store }: SoundParts): Finding[] {
  if (store === undefined) return [];
  const reason = 'holds a password: secrets never stand here, set REDIS_URL';
  if (typeof store === 'string') return hasPassword(store) ? [{ path: ['store'], reason }] : [];
  if ('sentinel' in store) return [];
  return store.redis.flatMap((url, index) => (hasPassword(url) ? [{ path: ['store', 'redis', index], reason }] : []));
}

/** The store may also come from REDIS_URL, and is then checked when it is opened. */
function authorityFindings({ store, redis }: SoundParts): Finding[] {
  if (redis?.ca === undefined || store === undefined || usesTls(store)) return [];
  return [{ path: ['redis', 'ca'], reason: 'needs TLS: write rediss:// in store, or with Sentinel store.tls: true' }];
}

function usesTls(store: Config['store']): boolean {
  // Where the store is none of Redis, REDIS_URL names the one that the certificates are for.
  if (typeof store === 'string') return !store.startsWith('redis:');
  return 'sentinel' in store ? store.tls : store.redis.every((url) => url.startsWith('rediss:'));
}

function hasPassword(text: string): boolean {
  if (text.startsWith('lmdb:')) return false;
  if (!URL.canParse(text)) return text.includes('@');
  const url = new URL(text);
  return url.password !== '' || url.searchParams.has('password');
}
