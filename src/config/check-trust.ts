/** Checks the trust entries: each by itself, and whether two of them could give one token two names. */
import { prefixOf } from '../domain/party.js';
import { isSafeOrigin } from '../domain/safe-origin.js';
import { isOwnIssuer } from './own-issuer.js';
import type { Finding } from './problem.js';
import { claimsOf, repeated, type Claim } from './repeated.js';
import type { SoundParts } from './sound-parts.js';
import { isDocument, issuersOf, type OidcTrust, type Trust } from './trust-schema.js';
import { isDocumentUrl } from './values.js';

export function trustFindings(parts: SoundParts): Finding[] {
  return [
    ...parts.trust.flatMap((trust, index) => entryFindings(trust, index)),
    ...sourcesOf(parts).flatMap((source) => sourceFindings(source, parts.issuer)),
    ...repeated(claimsOf(['trust'], parts.trust, 'name'), 'is the name of another trust entry'),
    ...repeated(identitiesOf(parts), 'is trusted twice: a token would have two names'),
    ...repeated(namesakes(parts), NAMESAKE),
    ...clientIdFindings(parts),
    ...publicClientFindings(parts),
  ];
}

/** One issuer of an entry, with its place. */
interface Source {
  at: [string, number, ...(string | number)[]];
  entry: OidcTrust;
}

const sourcesOf = ({ trust }: Pick<SoundParts, 'trust'>): Source[] =>
  trust.flatMap((entry, index): Source[] =>
    entry?.kind === 'oidc'
      ? issuersOf(entry).map((one, which) => ({
          at: ['trust', index, ...(which === 0 ? [] : ['also', which - 1])],
          entry: one,
        }))
      : [],
  );

/** Returns what is allowed, and lets in tokens that the operator may not think of. */
export function trustWarnings(parts: SoundParts): Finding[] {
  const sources = sourcesOf(parts);
  const opened = sources.flatMap(({ at, entry }): Finding[] => {
    if (entry.require) return [];
    const isShared = sources.some((other) => other.entry.issuer === entry.issuer && other.entry.name !== entry.name);
    const reason = isShared ? SHARED : PUBLIC_ISSUERS.has(entry.issuer) ? PUBLIC : undefined;
    return reason === undefined ? [] : [{ path: at, reason }];
  });
  return [
    ...opened,
    ...publicClients(parts)
      .filter(isOfNoTeam(parts))
      .map(({ path }) => ({ path, reason: NO_TEAM })),
  ];
}

/** The team of a workload may stand in its token, which a public client does not show. */
const isOfNoTeam =
  ({ clientIds = {}, trust }: SoundParts) =>
  ({ clientId }: PublicClient): boolean => {
    const workload = Object.hasOwn(clientIds, clientId) ? (clientIds[clientId] ?? '') : '';
    const entry = trust.find((one) => one?.kind === 'oidc' && workload.startsWith(prefixOf(one)));
    return entry?.owner !== undefined && 'claim' in entry.owner;
  };

const NO_TEAM =
  'is a public client whose team would stand in its token, and it shows none: no hold on a team reaches it, and no policy about one';

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

function entryFindings(trust: Trust | undefined, index: number): Finding[] {
  if (trust?.kind !== 'oidc') return [];
  const { represents, owner, groups, workload, run, idJag, jwks } = trust;
  const isClient = isDocument(jwks);
  const forWorkloads = 'is for workloads; this issuer represents persons';
  const forPersons = 'is for persons; this issuer represents workloads';
  const found: [string, boolean, string][] = [
    ['owner', represents === 'person' && !!owner, forWorkloads],
    ['workload', represents === 'person' && workload.join() !== 'sub', forWorkloads],
    ['workload', isClient && workload.join() !== 'sub', 'is not for a client that signs for itself: its id is its URL'],
    ['jwks', represents === 'person' && isClient, forWorkloads],
    ['run', represents === 'person' && !!run, forWorkloads],
    ['groups', represents === 'workload' && !!groups, forPersons],
    ['idJag', represents === 'workload' && !!idJag, forPersons],
  ];
  return found.filter(([, wrong]) => wrong).map(([field, , reason]) => ({ path: ['trust', index, field], reason }));
}

function sourceFindings({ at, entry: { issuer, jwks } }: Source, ownIssuer: string | undefined): Finding[] {
  const path = [...at, 'issuer'];
  // Otherwise a credential of the broker would prove a workload, and so get the next credential.
  if (isOwnIssuer(issuer, ownIssuer)) return [{ path, reason: 'is the broker itself, whose tokens prove no identity' }];
  if (/^spiffe:/i.test(issuer))
    return [{ path, reason: 'is a SPIFFE trust domain: it needs an entry with `kind: spiffe`' }];
  if (isDocument(jwks) && !isDocumentUrl(issuer))
    return [
      { path, reason: 'is no URL of a client-id document: https (http on loopback), with a path, without a fragment' },
    ];
  if (jwks || canDiscover(issuer)) return [];
  return [{ path, reason: 'needs `jwks`: keys are discovered over https only (http on loopback)' }];
}

/** One issuer may be configured twice: for persons and for workloads, by the audience of the token. A trust domain may not. */
function identitiesOf(parts: SoundParts): Claim[] {
  const domains = parts.trust.flatMap((entry, index): Claim[] =>
    entry?.kind === 'spiffe' ? [[['trust', index, 'trustDomain'], `spiffe://${entry.trustDomain}`]] : [],
  );
  const issuers = sourcesOf(parts).flatMap(({ at, entry: { issuer, audiences } }): Claim[] => {
    if (!audiences) return [[[...at, 'issuer'], `${issuer} ${parts.issuer ?? ''}`]];
    // The audiences belong to the entry, whichever of its issuers is meant.
    const place = (index: number) => (at.length > 2 ? [...at, 'issuer'] : [...at, 'audiences', index]);
    return audiences.map((audience, index) => [place(index), `${issuer} ${audience}`]);
  });
  return [...domains, ...issuers];
}

const NAMESAKE =
  'is trusted under another name too: a subject that is held under one name could come under the other, by a token for the other audience';

/** A workload chooses the audience of its token. As a person it can ask for nothing by itself, so these two may differ. */
const namesakes = (parts: SoundParts): Claim[] =>
  sourcesOf(parts).map(({ at, entry }) => [[...at, 'issuer'], `${entry.represents} ${entry.issuer}`]);

const canDiscover = (issuer: string): boolean => URL.canParse(issuer) && isSafeOrigin(new URL(issuer).origin);

interface PublicClient {
  path: Finding['path'];
  clientId: string;
}

const publicClients = ({ trust }: SoundParts): PublicClient[] =>
  trust.flatMap((entry, index) =>
    (entry?.kind === 'oidc' ? (entry.idJag?.publicClients ?? []) : []).map((clientId, at) => ({
      path: ['trust', index, 'idJag', 'publicClients', at],
      clientId,
    })),
  );

const publicClientFindings = (parts: SoundParts): Finding[] =>
  publicClients(parts)
    .filter(({ clientId }) => !Object.hasOwn(parts.clientIds ?? {}, clientId))
    .map(({ path }) => ({ path, reason: 'is none of `clientIds`' }));

/** One name for two clients would let either of them use what an issuer meant for the other. */
function clientIdFindings({ clientIds = {}, trust }: SoundParts): Finding[] {
  const entries = trust.filter((entry) => entry !== undefined);
  const starts = entries.filter((one) => one.kind === 'spiffe' || one.represents === 'workload').map(prefixOf);
  const isId = (text: string): boolean => starts.some((start) => text.startsWith(start));
  const issuers = new Set(sourcesOf({ trust }).map(({ entry }) => entry.issuer));
  return Object.entries(clientIds).flatMap(([clientId, workload]): Finding[] => {
    const path = ['clientIds', clientId];
    if (!isId(workload))
      return [{ path, reason: 'is no id of a workload: it begins with the name of no entry of `trust`' }];
    if (isId(clientId) || issuers.has(clientId))
      return [{ path, reason: 'is what another workload is called: its id, or the issuer of its tokens' }];
    return [];
  });
}
