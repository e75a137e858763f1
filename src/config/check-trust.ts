/** Checks the trust entries: each by itself, and whether two of them could give one token two names. */
import { isSafeOrigin } from '../domain/safe-origin.js';
import { isOwnIssuer } from './own-issuer.js';
import type { Finding } from './problem.js';
import { claimsOf, repeated, type Claim } from './repeated.js';
import type { SoundParts } from './sound-parts.js';
import type { Trust } from './trust-schema.js';

export function trustFindings(parts: SoundParts): Finding[] {
  return [
    ...parts.trust.flatMap((trust, index) => entryFindings(trust, index, parts.issuer)),
    ...repeated(claimsOf(['trust'], parts.trust, 'name'), 'is the name of another trust entry'),
    ...repeated(identitiesOf(parts), 'is trusted twice: a token would have two names'),
    ...repeated(namesakes(parts), NAMESAKE),
  ];
}

/** Returns what is allowed, and lets in tokens that the operator may not think of. */
export function trustWarnings({ trust }: SoundParts): Finding[] {
  const issuers = trust.map((entry) => (entry?.kind === 'oidc' ? entry.issuer : undefined));
  return trust.flatMap((entry, index): Finding[] => {
    if (entry?.kind !== 'oidc' || entry.require) return [];
    const isShared = issuers.some((issuer, other) => issuer === entry.issuer && other !== index);
    const reason = isShared ? SHARED : PUBLIC_ISSUERS.has(entry.issuer) ? PUBLIC : undefined;
    return reason === undefined ? [] : [{ path: ['trust', index], reason }];
  });
}

const SHARED =
  'has the issuer of another entry, and only the audience tells their tokens apart: name in `require` a claim that only these have';
const PUBLIC =
  'lets in everybody who has an account at this issuer: name in `require` the claim that says whose tokens are yours';

/** Issuers that sign for all their customers alike. */
const PUBLIC_ISSUERS = new Set([
  'https://token.actions.githubusercontent.com',
  'https://gitlab.com',
  'https://agent.buildkite.com',
  'https://app.terraform.io',
  'https://accounts.google.com',
]);

function entryFindings(trust: Trust | undefined, index: number, ownIssuer: string | undefined): Finding[] {
  if (trust?.kind !== 'oidc') return [];
  const found: [string, boolean, string][] = [
    // Otherwise a credential of the broker would prove a workload, and so get the next credential.
    ['issuer', isOwnIssuer(trust.issuer, ownIssuer), 'is the broker itself, whose tokens prove no identity'],
    [
      'issuer',
      !trust.jwks && !canDiscover(trust.issuer),
      'needs `jwks`: keys are discovered over https only (http on loopback)',
    ],
    ['owner', trust.represents === 'person' && !!trust.owner, 'is for workloads; this issuer represents persons'],
    [
      'workload',
      trust.represents === 'person' && trust.workload.join() !== 'sub',
      'is for workloads; this issuer represents persons',
    ],
    ['groups', trust.represents === 'workload' && !!trust.groups, 'is for persons; this issuer represents workloads'],
  ];
  return found.filter(([, wrong]) => wrong).map(([field, , reason]) => ({ path: ['trust', index, field], reason }));
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

const canDiscover = (issuer: string): boolean => URL.canParse(issuer) && isSafeOrigin(new URL(issuer).origin);
