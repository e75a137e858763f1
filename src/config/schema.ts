/**
 * The schema of the configuration file: every field, its default and its bounds. Unknown keys are refused. No field holds a
 * secret.
 */
import { z } from 'zod';
import { HARD_LIMITS } from '../domain/limits.js';
import { notifySchema, signalsSchema } from './signals-schema.js';
import { targetSchema } from './target-schema.js';
import {
  algorithm,
  file,
  hostPort,
  keySource,
  name,
  origin,
  redisNode,
  seconds,
  teamName,
  trustName,
} from './values.js';

const oidcTrust = z.strictObject({
  kind: z.literal('oidc').describe('An OpenID Connect issuer, or anything that signs JWTs and publishes keys.'),
  name: trustName.describe('Stands before the subject in every id: `<name>:<sub>`.'),
  issuer: z.string().min(1).describe('The `iss` claim, compared byte for byte.'),
  audiences: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Accepted `aud`; default: the issuer of the broker.'),
  jwks: keySource.optional().describe('Default: discovery at the issuer.'),
  algorithms: z
    .array(algorithm)
    .min(1)
    .default(['ES256', 'RS256', 'EdDSA'])
    .describe('Signature algorithms accepted from this issuer; any other token is refused.'),
  represents: z.enum(['workload', 'person']).default('workload').describe('What its tokens stand for.'),
  owner: z
    .union([
      z.strictObject({ claim: z.string().min(1).describe('The claim that names the team; a JSON pointer if nested.') }),
      z.strictObject({ value: teamName.describe('One team for every workload of this issuer.') }),
    ])
    .optional()
    .describe('The team that answers for a workload: a claim of the token, or a fixed value.'),
  groups: z
    .strictObject({ claim: z.string().min(1).describe('A claim whose value is a list of group names.') })
    .optional()
    .describe('Persons: the claim that lists their groups.'),
  claims: z
    .array(z.string().min(1))
    .max(32)
    .default([])
    .describe('Claims that become Cedar tags; a JSON pointer where nested.'),
});

const spiffeTrust = z.strictObject({
  kind: z.literal('spiffe').describe('A SPIFFE trust domain: its JWT-SVIDs.'),
  name: trustName.describe('Names it in policy; the id of a workload is its SPIFFE ID.'),
  trustDomain: z
    .string()
    .max(255)
    .regex(/^[a-z0-9._-]+$/, 'must be a SPIFFE trust domain')
    .describe('Lower case, without `spiffe://`.'),
  audiences: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Accepted `aud`; default: the issuer of the broker.'),
  bundle: z
    .strictObject({ file: file.describe('A SPIFFE bundle (JWKS); read again when it changes.') })
    .describe('Where the keys of the trust domain are.'),
  algorithms: z
    .array(algorithm.exclude(['EdDSA']))
    .min(1)
    .default(['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'])
    .describe('Signature algorithms accepted; the SPIFFE standard allows these.'),
  owner: z
    .strictObject({ value: teamName.describe('One team for every workload of this trust domain.') })
    .optional()
    .describe('The team that answers for its workloads.'),
});

export const trustSchema = z.discriminatedUnion('kind', [oidcTrust, spiffeTrust]);

const purpose = z.strictObject({
  description: z.string().min(1).describe('For those who read the audit trail.'),
  owner: teamName.optional().describe('The team that answers for the purpose.'),
});

const storeSchema = z.union([
  z.string().regex(/^(lmdb:.+|rediss?:\/\/\S+)$/, 'must be lmdb:<directory>, redis://… or rediss://…'),
  z.strictObject({ redis: z.array(redisNode).min(1).describe('The nodes of a Redis Cluster.') }),
  z.strictObject({
    sentinel: z.array(hostPort).min(1).describe('Sentinels that know where the primary is.'),
    name: z
      .string()
      .regex(/^[\w.-]{1,64}$/)
      .describe('What the Sentinels call the primary, such as `mymaster`.'),
    tls: z.boolean().default(false).describe('Sentinels and Redis are asked over TLS.'),
  }),
]);

export const configSchema = z.strictObject({
  issuer: origin.describe('The public origin of the broker, exact: the `iss` of what it mints.'),
  listen: hostPort.default('127.0.0.1:8080').describe('Where the API listens.'),
  operations: hostPort.default('127.0.0.1:9090').describe('Where health and metrics listen; never public.'),
  drainSeconds: seconds(300, 0)
    .default(15)
    .describe('How long a broker that was told to end (SIGTERM) still answers, while it is not ready.'),
  store: storeSchema
    .default('lmdb:./data')
    .describe(
      '`lmdb:<directory>`, `redis://…`, `rediss://…`, `redis: [url, …]` for a Cluster, or `sentinel: [host:port, …]` with `name`. REDIS_URL overrides it.',
    ),
  redis: z
    .strictObject({
      prefix: z
        .string()
        .regex(/^[\w:.-]{1,64}$/)
        .default('mayfly:')
        .describe('Lets two deployments share a Redis.'),
      ca: file.optional().describe('PEM certificates to trust for Redis, instead of the system store.'),
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
    .prefault({})
    .describe('How Redis is used, where it is the store.'),
  trust: z.array(trustSchema).min(1).describe('The issuers whose tokens prove identity.'),
  purposes: z.record(name, purpose).optional().describe('When present, any other purpose is refused.'),
  targets: z.array(targetSchema).min(1).describe('What credentials can be minted for.'),
  policy: z
    .discriminatedUnion('engine', [
      z.strictObject({
        engine: z.literal('cedar').describe('Cedar, inside the broker.'),
        directory: file.describe('Holds the `*.cedar` files and `schema.cedarschema`.'),
      }),
    ])
    .describe('Who may do what.'),
  lifetimes: z
    .strictObject({
      credential: seconds(HARD_LIMITS.credentialLifetimeSeconds)
        .default(300)
        .describe('Of a credential, when none is asked for.'),
      credentialMax: seconds(HARD_LIMITS.credentialLifetimeSeconds).default(3_600).describe('The most that is given.'),
      task: seconds(HARD_LIMITS.taskLifetimeSeconds)
        .default(3_600)
        .describe('From opening to deadline, when none is asked for.'),
      taskMax: seconds(HARD_LIMITS.taskLifetimeSeconds).default(28_800).describe('The most that is given.'),
      clockSkew: seconds(HARD_LIMITS.clockSkewSeconds, 0)
        .default(5)
        .describe('Allowed in foreign tokens, and between broker and store.'),
    })
    .prefault({})
    .describe('Seconds.'),
  limits: z
    .strictObject({
      credentialsPerTask: z.int().min(1).max(64).default(16).describe('Alive at once.'),
      delegationDepth: z.int().min(0).max(HARD_LIMITS.delegationDepth).default(3).describe('Hops below a root task.'),
      perWorkloadPerMinute: z
        .int()
        .min(1)
        .default(600)
        .describe(
          'Requests of one workload, counted by each broker for itself; ending, holding, revoking and introspecting are free.',
        ),
      perIssuerPerMinute: z
        .int()
        .min(1)
        .default(12_000)
        .describe('The same of all workloads and persons of one issuer together: one may have many names.'),
    })
    .prefault({})
    .describe('What one task or workload may use up.'),
  keys: z
    .strictObject({
      rotationDays: z.number().positive().max(365).default(30).describe('Until the next signing key takes over.'),
    })
    .prefault({})
    .describe('The signing keys.'),
  audit: z
    .strictObject({ retentionDays: z.number().positive().default(30).describe('Until entries are pruned.') })
    .prefault({})
    .describe('The audit log.'),
  signals: signalsSchema,
  notify: notifySchema,
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info').describe('The least that is logged.'),
    })
    .prefault({})
    .describe('JSON lines on standard output.'),
});

export type Config = z.output<typeof configSchema>;
export type Trust = Config['trust'][number];
export type OidcTrust = Extract<Trust, { kind: 'oidc' }>;
export type SpiffeTrust = Extract<Trust, { kind: 'spiffe' }>;
export type KeySource = z.output<typeof keySource>;
export type Target = Config['targets'][number];
