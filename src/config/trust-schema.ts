/** The schema of `trust`: the issuers whose tokens prove identity. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { HARD_LIMITS } from '../domain/limits.js';
import {
  algorithm,
  algorithms,
  bundleSource,
  issuerKeys,
  requiredClaims,
  seconds,
  teamName,
  unreservedName,
} from './values.js';

const issuer = z.string().min(1);
const proofAgeMax = seconds(HARD_LIMITS.proofAgeSeconds)
  .default(28_800)
  .describe('How old a token may be, by its `iat`, in seconds. Whoever steals one can use it for as long.');

const runClaims = z
  .union([
    z
      .string()
      .min(1)
      .transform((claim) => [claim]),
    z.array(z.string().min(1)).min(1).max(4),
  ])
  .describe('The claim that names one run, or several that do together; a JSON pointer if nested.');

const oidcTrust = z.strictObject({
  kind: z.literal('oidc').describe('An OpenID Connect issuer, or anything that signs JWTs and publishes keys.'),
  name: unreservedName.describe('Stands before every id: `<name>:<sub>`, or what `workload` names instead of `sub`.'),
  issuer: issuer.describe('The `iss` claim, compared byte for byte.'),
  audiences: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Accepted `aud`; default: the issuer of the broker.'),
  require: requiredClaims
    .optional()
    .describe('Claims that a token must have, each with one of these values; `*` and `**` as in scopes.'),
  jwks: issuerKeys.optional().describe('Default: discovery at the issuer.'),
  also: z
    .array(
      z.strictObject({
        issuer: issuer.describe('Another `iss` of the same parties.'),
        jwks: issuerKeys.optional().describe('Its own keys; default: discovery at it.'),
      }),
    )
    .max(8)
    .default([])
    .describe('Further issuers whose tokens name the same parties, such as the next one of a cluster that changes it.'),
  algorithms: algorithms(algorithm)
    .prefault(['ES256', 'RS256', 'EdDSA'])
    .describe('Signature algorithms accepted from this issuer; any other token is refused.'),
  accessTokens: z
    .boolean()
    .optional()
    .describe('Whether tokens of type `at+jwt` are taken; default: those of persons are, those of workloads are not.'),
  proofAgeMax,
  represents: z.enum(['workload', 'person']).default('workload').describe('What its tokens stand for.'),
  workload: z
    .array(z.string().min(1))
    .min(1)
    .max(4)
    .default(['sub'])
    .describe('Workloads: the claims that make the id, `<name>:<values>`. They should outlast a run.'),
  run: z
    .union([
      z.literal(false),
      runClaims.transform((claim) => ({ claim, ifAbsent: 'refuse' as const })),
      z.strictObject({
        claim: runClaims,
        ifAbsent: z
          .enum(['refuse', 'none'])
          .default('refuse')
          .describe('What a token without that claim means: it is refused, or it belongs to no run.'),
      }),
    ])
    .optional()
    .describe(
      'Workloads: the claim that names one run, whose requests share a task; false: none does. Default: `run`, else `task`.',
    ),
  owner: z
    .union([
      z.strictObject({ claim: z.string().min(1).describe('The claim that names the team; a JSON pointer if nested.') }),
      z.strictObject({ value: teamName.describe('One team for every workload of this issuer.') }),
    ])
    .optional()
    .describe('The team that answers for a workload: a claim of the token, or a fixed value.'),
  groups: z
    .strictObject({
      claim: z.string().min(1).describe('A claim whose value is a list of group names.'),
      ifAbsent: z
        .enum(['refuse', 'none'])
        .default('refuse')
        .describe('What a token without that claim means: it is refused, or the person is in no group.'),
      ifIncomplete: z
        .enum(['refuse', 'keep'])
        .default('refuse')
        .describe('What a token means that does not say all groups: it is refused, or those that it says are kept.'),
    })
    .optional()
    .describe('Persons: the claim that lists their groups.'),
  idJag: z
    .strictObject({
      publicClients: z
        .array(z.string().min(1))
        .default([])
        .describe('Those of `clientIds` that need no authentication beside an ID-JAG of this issuer.'),
    })
    .optional()
    .describe('Persons: its ID-JAGs are taken, by which a client acts for a person without their token.'),
  claims: z
    .array(z.string().min(1))
    .max(32)
    .default([])
    .describe('Claims that policies can ask for: texts as tags, lists as sets; a JSON pointer where nested.'),
});

const spiffeTrust = z.strictObject({
  kind: z.literal('spiffe').describe('A SPIFFE trust domain: its JWT-SVIDs.'),
  name: unreservedName.describe('Names it in policy; the id of a workload is its SPIFFE ID.'),
  trustDomain: z
    .string()
    .max(255)
    .regex(
      /^[a-z0-9._-]+$/,
      'must be a SPIFFE trust domain such as prod.example: lower case, without spiffe:// and without a path',
    )
    .describe('Lower case, without `spiffe://`.'),
  audiences: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Accepted `aud`; default: the issuer of the broker.'),
  bundle: bundleSource.describe('Where the keys of the trust domain are.'),
  algorithms: algorithms(algorithm.exclude(['EdDSA', 'Ed25519']))
    .prefault(['ES256', 'ES384', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])
    .describe('Signature algorithms accepted. The SPIFFE standard allows these, and ES512.'),
  proofAgeMax,
  owner: z
    .strictObject({ value: teamName.describe('One team for every workload of this trust domain.') })
    .optional()
    .describe('The team that answers for its workloads.'),
});

export const trustSchema = z.discriminatedUnion('kind', [oidcTrust, spiffeTrust]);

export type Trust = z.output<typeof trustSchema>;
export type OidcTrust = Extract<Trust, { kind: 'oidc' }>;
export type SpiffeTrust = Extract<Trust, { kind: 'spiffe' }>;
/** Returns the entry once for each of its issuers, with the keys of that issuer. All else is the same: so are the parties. */
export const issuersOf = ({ issuer, jwks, also, ...rest }: OidcTrust): OidcTrust[] =>
  [defined({ issuer, jwks }), ...also].map((one) => ({ ...rest, ...one, also: [] }));

export const eachIssuer = (trust: readonly Trust[]): Trust[] =>
  trust.flatMap((entry): Trust[] => (entry.kind === 'oidc' ? issuersOf(entry) : [entry]));

export type IssuerKeys = z.output<typeof issuerKeys>;
/** Where the keys of a client stand in its client-id document. */
export type DocumentKeys = Extract<IssuerKeys, { clientDocument: true }>;
export type KeySource = Exclude<IssuerKeys, DocumentKeys>;

export const isDocument = (jwks: IssuerKeys | undefined): jwks is DocumentKeys =>
  jwks !== undefined && 'clientDocument' in jwks;
