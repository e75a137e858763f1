/** The configuration file: every field, its default and its bounds. Unknown keys are refused; secrets never stand here. */
import { z } from 'zod';
import { pathProblem } from '../domain/access.js';
import { HARD_LIMITS } from '../domain/limits.js';

const seconds = (most: number, least = 1) => z.int().min(least).max(most);
const name = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be a lower-case letter, then up to 31 of a-z 0-9 -');
const trustName = name.refine((text) => text !== 'spiffe', 'must not be "spiffe"');
const algorithm = z.enum(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']);

/** An origin: https, or http on a loopback address. */
const origin = z
  .string()
  .refine(
    isSafeOrigin,
    'must be an origin such as https://mayfly.example (http only on loopback), without path or trailing slash',
  );
const absoluteUri = z.string().max(2048).refine(isAbsoluteUri, 'must be an absolute URI without a fragment');
const file = z.string().min(1);

const keySource = z.union([
  z.strictObject({ file: file.describe('A JWKS document; read again when it changes.') }),
  z.strictObject({
    url: z.url({ protocol: /^https?$/ }).describe('Where the JWKS is served.'),
    ca: file.optional().describe('PEM certificates to trust for this URL instead of the system store.'),
    bearerFile: file.optional().describe('A token to send, read anew for each fetch (Kubernetes).'),
  }),
]);

const oidcTrust = z.strictObject({
  kind: z.literal('oidc'),
  name: trustName.describe('Stands before the subject in every id: `<name>:<sub>`.'),
  issuer: z.string().min(1).describe('The `iss` claim, compared byte for byte.'),
  audiences: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Accepted `aud`; default: the issuer of the broker.'),
  jwks: keySource.optional().describe('Default: discovery at the issuer.'),
  algorithms: z.array(algorithm).min(1).default(['ES256', 'RS256', 'EdDSA']),
  represents: z.enum(['workload', 'person']).default('workload'),
  owner: z
    .union([z.strictObject({ claim: z.string().min(1) }), z.strictObject({ value: z.string().min(1) })])
    .optional()
    .describe('The team that answers for a workload: a claim of the token, or a fixed value.'),
  groups: z
    .strictObject({ claim: z.string().min(1) })
    .optional()
    .describe('Persons: the claim that lists their groups.'),
  claims: z
    .array(z.string().min(1))
    .max(32)
    .default([])
    .describe('Claims that become Cedar tags; a JSON pointer where nested.'),
});

const spiffeTrust = z.strictObject({
  kind: z.literal('spiffe'),
  name: trustName,
  trustDomain: z
    .string()
    .max(255)
    .regex(/^[a-z0-9._-]+$/, 'must be a SPIFFE trust domain'),
  audiences: z.array(z.string().min(1)).min(1).optional(),
  bundle: z.strictObject({ file: file.describe('A SPIFFE bundle (JWKS); read again when it changes.') }),
  algorithms: z
    .array(algorithm.exclude(['EdDSA']))
    .min(1)
    .default(['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']),
  owner: z.strictObject({ value: z.string().min(1) }).optional(),
});

const label = z.strictObject({
  match: z.string().superRefine((path, context) => {
    const problem = pathProblem(path);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: `the path ${problem}` });
  }),
  sensitivity: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]).transform((value) => [value].flat()),
});

const jwtTarget = z.strictObject({
  resource: absoluteUri.describe('RFC 8707 resource indicator; becomes `aud`.'),
  minter: z.literal('jwt'),
  labels: z.array(label).default([]).describe('What policy may know of a path. Never from the requester.'),
  tags: z.record(z.string(), z.string()).default({}).describe('Cedar tags of the target.'),
});

const purpose = z.strictObject({ description: z.string().min(1), owner: z.string().min(1).optional() });

const redisUrl = z.string().regex(/^rediss?:\/\/\S+$/, 'must be a redis:// or rediss:// URL');
const storeSchema = z.union([
  z.string().regex(/^(lmdb:.+|rediss?:\/\/\S+)$/, 'must be lmdb:<directory>, redis://… or rediss://…'),
  z.strictObject({ redis: z.array(redisUrl).min(1).describe('The nodes of a Redis Cluster.') }),
]);

export const configSchema = z.strictObject({
  issuer: origin.describe('The public origin of the broker, exact: the `iss` of what it mints.'),
  listen: z
    .string()
    .regex(/^\S+:\d{1,5}$/, 'must be host:port')
    .default('127.0.0.1:8080'),
  operations: z
    .string()
    .regex(/^\S+:\d{1,5}$/, 'must be host:port')
    .default('127.0.0.1:9090')
    .describe('Health and metrics; never public.'),
  store: storeSchema.default('lmdb:./data').describe('REDIS_URL overrides it.'),
  redis: z
    .strictObject({
      prefix: z
        .string()
        .regex(/^[\w:.-]{1,64}$/)
        .default('mayfly:')
        .describe('Lets two deployments share a Redis.'),
      replicas: z
        .int()
        .min(0)
        .max(8)
        .default(0)
        .describe('Replicas that must have a revocation before it is acknowledged (WAIT).'),
      onRestart: z
        .enum(['replace', 'trust'])
        .default('replace')
        .describe('`trust` keeps what lives across a restart of Redis where `appendfsync always` is confirmed.'),
    })
    .prefault({}),
  trust: z
    .array(z.discriminatedUnion('kind', [oidcTrust, spiffeTrust]))
    .min(1)
    .describe('Whose word about identity is taken.'),
  purposes: z.record(name, purpose).optional().describe('When present, any other purpose is refused.'),
  targets: z.array(jwtTarget).min(1).describe('What credentials can be minted for.'),
  policy: z.discriminatedUnion('engine', [z.strictObject({ engine: z.literal('cedar'), directory: file })]),
  lifetimes: z
    .strictObject({
      credential: seconds(HARD_LIMITS.credentialLifetimeSeconds).default(300),
      credentialMax: seconds(HARD_LIMITS.credentialLifetimeSeconds).default(3_600),
      task: seconds(HARD_LIMITS.taskLifetimeSeconds).default(3_600),
      taskMax: seconds(HARD_LIMITS.taskLifetimeSeconds).default(28_800),
      clockSkew: seconds(HARD_LIMITS.clockSkewSeconds, 0).default(5),
    })
    .prefault({})
    .describe('Seconds.'),
  limits: z
    .strictObject({
      credentialsPerTask: z.int().min(1).max(64).default(16),
      delegationDepth: z.int().min(0).max(HARD_LIMITS.delegationDepth).default(3),
      perWorkloadPerMinute: z.int().min(1).default(600).describe('Exchanges, counted by each broker for itself.'),
    })
    .prefault({}),
  keys: z.strictObject({ rotationDays: z.number().positive().max(365).default(30) }).prefault({}),
  audit: z.strictObject({ retentionDays: z.number().positive().default(30) }).prefault({}),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info') }).prefault({}),
});

export type Config = z.output<typeof configSchema>;
export type Trust = Config['trust'][number];
export type OidcTrust = Extract<Trust, { kind: 'oidc' }>;
export type SpiffeTrust = Extract<Trust, { kind: 'spiffe' }>;
export type KeySource = z.output<typeof keySource>;
export type Target = Config['targets'][number];

function isSafeOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  const loopback = ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
  return url.origin === text && (url.protocol === 'https:' || (url.protocol === 'http:' && loopback));
}

function isAbsoluteUri(text: string): boolean {
  return URL.canParse(text) && !text.includes('#') && !/\s/.test(text);
}
