/** Checks what a schema cannot express: whether the parts of a configuration fit each other. */
import { isSafeOrigin } from '../domain/safe-origin.js';
import { FENCE_MS } from '../domain/timing.js';
import type { TargetKind } from '../targets/kind.js';
import { kindOf, kindOfTarget, KINDS } from '../targets/kinds.js';
import { signalFindings } from './check-signals.js';
import { isOwnIssuer } from './own-issuer.js';
import type { Finding } from './problem.js';
import { claimsOf, repeated, type Claim } from './repeated.js';
import type { Target, Trust } from './schema.js';
import type { SoundParts } from './sound-parts.js';

export function fitFindings(parts: SoundParts): Finding[] {
  return [
    ...parts.trust.flatMap((trust, index) => trustFindings(trust, index, parts.issuer)),
    ...repeated(claimsOf(['trust'], parts.trust, 'name'), 'is the name of another trust entry'),
    ...repeated(identitiesOf(parts), 'is trusted twice: a token would have two names'),
    ...repeated(namesakes(parts), NAMESAKE),
    ...repeated(claimsOf(['targets'], parts.targets, 'resource'), 'is the resource of another target'),
    ...identityFindings(parts),
    ...skewFindings(parts),
    ...listenerFindings(parts),
    ...lifetimeFindings(parts),
    ...secretFindings(parts),
    ...parts.targets.flatMap((target, index) => targetFindings(target, index, parts.targets)),
    ...signalFindings(parts),
  ];
}

function trustFindings(trust: Trust | undefined, index: number, ownIssuer: string | undefined): Finding[] {
  if (trust?.kind !== 'oidc') return [];
  const found: [string, boolean, string][] = [
    // Otherwise a credential of the broker would prove a workload, and so get the next credential.
    ['issuer', isOwnIssuer(trust.issuer, ownIssuer), 'is the broker itself, whose tokens prove no identity'],
    ['issuer', !trust.jwks && !canDiscover(trust.issuer), 'needs `jwks`: keys are discovered over https only'],
    ['owner', trust.represents === 'person' && !!trust.owner, 'is for workloads; this issuer represents persons'],
    ['groups', trust.represents === 'workload' && !!trust.groups, 'is for persons; this issuer represents workloads'],
  ];
  return found.filter(([, wrong]) => wrong).map(([field, , reason]) => ({ path: ['trust', index, field], reason }));
}

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

/** One issuer may be configured twice: for persons and for workloads, by the audience of the token. A trust domain may not. */
function identitiesOf({ trust, issuer }: SoundParts): Claim[] {
  return trust.flatMap((entry, index): Claim[] => {
    if (entry === undefined) return [];
    if (entry.kind === 'spiffe') return [[['trust', index, 'trustDomain'], `spiffe://${entry.trustDomain}`]];
    if (!entry.audiences) return [[['trust', index, 'issuer'], `${entry.issuer} ${issuer ?? ''}`]];
    return entry.audiences.map((audience, at) => [['trust', index, 'audiences', at], `${entry.issuer} ${audience}`]);
  });
}

const NAMESAKE =
  'is trusted under another name too: a subject that is held under one name could come under the other, by a token for the other audience';

/** A workload chooses the audience of its token. As a person it can ask for nothing by itself, so these two may differ. */
const namesakes = ({ trust }: SoundParts): Claim[] =>
  trust.flatMap((entry, index): Claim[] =>
    entry?.kind === 'oidc' ? [[['trust', index, 'issuer'], `${entry.represents} ${entry.issuer}`]] : [],
  );

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

function secretFindings({ store }: SoundParts): Finding[] {
  if (store === undefined) return [];
  const reason = 'holds a password: secrets never stand here, set REDIS_URL';
  if (typeof store === 'string') return hasPassword(store) ? [{ path: ['store'], reason }] : [];
  if ('sentinel' in store) return [];
  return store.redis.flatMap((url, index) => (hasPassword(url) ? [{ path: ['store', 'redis', index], reason }] : []));
}

function hasPassword(text: string): boolean {
  if (text.startsWith('lmdb:')) return false;
  if (!URL.canParse(text)) return text.includes('@');
  const url = new URL(text);
  return url.password !== '' || url.searchParams.has('password');
}

const canDiscover = (issuer: string): boolean => URL.canParse(issuer) && isSafeOrigin(new URL(issuer).origin);
