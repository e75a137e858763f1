/** What a schema cannot say: how the parts of a configuration fit each other. */
import { isKnownPartition, isRoleArn, parseRole } from '../domain/aws.js';
import { signalFindings } from './check-signals.js';
import { isSafeOrigin } from '../domain/safe-origin.js';
import { FENCE_MS } from '../domain/timing.js';
import type { Finding } from './problem.js';
import { claimsOf, repeated, type Claim } from './repeated.js';
import type { Target, Trust } from './schema.js';
import type { SoundParts } from './sound-parts.js';

export function fitFindings(parts: SoundParts): Finding[] {
  return [
    ...parts.trust.flatMap((trust, index) => trustFindings(trust, index, parts.issuer)),
    ...repeated(claimsOf(['trust'], parts.trust, 'name'), 'is the name of another trust entry'),
    ...repeated(identitiesOf(parts), 'is trusted twice: a token would have two names'),
    ...repeated(claimsOf(['targets'], parts.targets, 'resource'), 'is the resource of another target'),
    ...repeated(roleNamesOf(parts), 'has the name of another role: their deny policies would be one'),
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
    // A credential of ours would count as proof of a workload, and beget the next one.
    ['issuer', isSame(trust.issuer, ownIssuer), 'is the broker itself, whose tokens prove no identity'],
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
  if (target?.minter === 'jwt' && isRoleArn(target.resource))
    return [{ path: ['targets', index, 'minter'], reason: 'must be aws-sts: the resource is an IAM role' }];
  if (target?.minter !== 'aws-sts') return [];
  const { aws, resource } = target;
  const found: [string, boolean, string][] = [
    // Whoever may get a token for that target could prove themselves to AWS with it.
    ['audience', targets.some((other) => other?.resource === aws.audience), 'is the resource of a target'],
    ['revokerRole', targets.some((other) => other?.resource === aws.revokerRole), 'is a target: agents could revoke'],
    [
      'revokerRole',
      parseRole(aws.revokerRole)?.account !== parseRole(resource)?.account,
      'is in another account than the target, whose policies it must write',
    ],
  ];
  const unknown = !isKnownPartition(parseRole(resource)?.partition ?? '');
  for (const field of ['stsEndpoint', 'iamEndpoint'] as const)
    found.push([field, unknown && !aws[field], "is missing: where the role's partition has it is not known here"]);
  return found
    .filter(([, wrong]) => wrong)
    .map(([field, , reason]) => ({ path: ['targets', index, 'aws', field], reason }));
}

/** IAM knows a role by its name alone, in any case: paths tell nothing apart. */
const roleNamesOf = ({ targets }: SoundParts): Claim[] =>
  targets.flatMap((entry, index): Claim[] => {
    const role = entry && parseRole(entry.resource);
    const name = role?.name.slice(role.name.lastIndexOf('/') + 1).toLowerCase();
    return role ? [[['targets', index, 'resource'], `${role.partition} ${role.account} ${name ?? ''}`]] : [];
  });

/** AWS judges deadlines and cutoffs by its own clock. */
function skewFindings({ lifetimes, targets }: SoundParts): Finding[] {
  const isTooMuch = (lifetimes?.clockSkew ?? 0) * 1000 > FENCE_MS && targets.some((one) => one?.minter === 'aws-sts');
  const reason = `is more than ${FENCE_MS / 1000}, the most that sessions of AWS roles allow for`;
  return isTooMuch ? [{ path: ['lifetimes', 'clockSkew'], reason }] : [];
}

/** One issuer may stand twice for different audiences; a trust domain is one place. */
function identitiesOf({ trust, issuer }: SoundParts): Claim[] {
  return trust.flatMap((entry, index): Claim[] => {
    if (entry === undefined) return [];
    if (entry.kind === 'spiffe') return [[['trust', index, 'trustDomain'], `spiffe://${entry.trustDomain}`]];
    if (!entry.audiences) return [[['trust', index, 'issuer'], `${entry.issuer} ${issuer ?? ''}`]];
    return entry.audiences.map((audience, at) => [['trust', index, 'audiences', at], `${entry.issuer} ${audience}`]);
  });
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

function secretFindings({ store }: SoundParts): Finding[] {
  if (store === undefined) return [];
  const reason = 'holds a password: secrets never stand here, set REDIS_URL';
  if (typeof store === 'string') return hasPassword(store) ? [{ path: ['store'], reason }] : [];
  return store.redis.flatMap((url, index) => (hasPassword(url) ? [{ path: ['store', 'redis', index], reason }] : []));
}

function hasPassword(text: string): boolean {
  if (text.startsWith('lmdb:')) return false;
  if (!URL.canParse(text)) return text.includes('@');
  const url = new URL(text);
  return url.password !== '' || url.searchParams.has('password');
}

const isSame = (issuer: string, own: string | undefined): boolean =>
  own !== undefined && issuer.replace(/\/+$/, '') === own;

const canDiscover = (issuer: string): boolean => URL.canParse(issuer) && isSafeOrigin(new URL(issuer).origin);
