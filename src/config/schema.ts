/**
 * The schema of the configuration file: every field, its default and its bounds. Unknown keys are refused. No field holds a
 * secret.
 */
import { z } from 'zod';
import { AUDIT_RETENTION_DAYS, HARD_LIMITS } from '../domain/limits.js';
import { CLAIM_CHARACTERS_MAX } from '../domain/name.js';
import { nameSchema } from '../domain/schemas.js';
import { approvalsSchema } from './approvals-schema.js';
import { policySchema } from './policy-schema.js';
import { notifySchema, signalsSchema } from './signals-schema.js';
import { targetSchema } from './target-schema.js';
import { trustSchema } from './trust-schema.js';
import {
  absoluteUri,
  file,
  hostPort,
  name,
  networkAddress,
  origin,
  redisNode,
  seconds,
  sentinelsInstead,
  teamName,
} from './values.js';

const purpose = z.strictObject({
  description: z.string().min(1).describe('For those who read the audit trail.'),
  owner: teamName.optional().describe('The team that answers for the purpose.'),
});

const owner = z.strictObject({
  contact: nameSchema().optional().describe('How to reach the team, such as a channel or a telephone number.'),
  runbook: absoluteUri.optional().describe('Where it is written what to do when its agents misbehave.'),
  members: nameSchema()
    .optional()
    .describe('The group of its people; default: the one that is called like the team. They alone cannot approve.'),
});

const storeSchema = z.union([
  z.string().refine((text) => /^(lmdb:.+|rediss?:\/\/\S+)$/.test(text), {
    error: ({ input }) => sentinelsInstead(String(input)) ?? 'must be lmdb:<directory>, redis://… or rediss://…',
  }),
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

/** @param most The defaults. */
const quota = (most: Record<'perWorkload' | 'perOwner' | 'perIssuer', number>) =>
  z
    .strictObject({
      perWorkload: z.int().min(1).default(most.perWorkload).describe('Of one workload, or of one person.'),
      perOwner: z.int().min(1).default(most.perOwner).describe('Of all workloads of one team at one issuer.'),
      perIssuer: z.int().min(1).default(most.perIssuer).describe('Of all parties of one issuer.'),
    })
    .prefault({});

export const configSchema = z.strictObject({
  issuer: origin.describe('The public origin of the broker, exact: the `iss` of what it mints.'),
  listen: hostPort.default('127.0.0.1:8080').describe('Where the API listens.'),
  operations: hostPort.default('127.0.0.1:9090').describe('Where health and metrics listen; never public.'),
  trustProxy: z
    .array(networkAddress)
    .default([])
    .describe('Proxies whose `X-Forwarded-For` says the address of the caller: addresses and CIDR ranges.'),
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
      onFailover: z
        .enum(['replace', 'keep'])
        .default('replace')
        .describe('`keep` keeps what lives where a replica is promoted that has everything acknowledged.'),
      seenDirectory: file
        .optional()
        .describe('Where a broker keeps, outside Redis, the last revocation that it has seen. `trust` needs it.'),
    })
    .prefault({})
    .describe('How Redis is used, where it is the store.'),
  trust: z.array(trustSchema).min(1).describe('The issuers whose tokens prove identity.'),
  clientIds: z
    .record(nameSchema(CLAIM_CHARACTERS_MAX), nameSchema())
    .default({})
    .describe('What else workloads are called as OAuth clients: from `client_id` to the id of the workload.'),
  purposes: z.record(name, purpose).optional().describe('When present, any other purpose is refused.'),
  owners: z
    .record(teamName, owner)
    .default({})
    .describe(
      'Of teams, whom to ask and what to do, shown to whoever looks up their workloads; and who belongs to them.',
    ),
  targets: z.array(targetSchema).min(1).describe('What credentials can be minted for.'),
  policy: policySchema.describe('Who may do what.'),
  lifetimes: z
    .strictObject({
      credential: seconds(HARD_LIMITS.credentialLifetimeSeconds)
        .default(300)
        .describe('Of a credential, when none is asked for.'),
      credentialMax: seconds(HARD_LIMITS.credentialLifetimeSeconds).default(3_600).describe('The most that is given.'),
      pastAssertion: seconds(HARD_LIMITS.credentialLifetimeSeconds, 0)
        .default(60)
        .describe('How long a credential may outlive the assertion that was the whole grant (RFC 7523).'),
      task: seconds(HARD_LIMITS.taskLifetimeSeconds)
        .default(3_600)
        .describe('From opening to deadline, when none is asked for.'),
      taskMax: seconds(HARD_LIMITS.taskLifetimeSeconds).default(28_800).describe('The most that is given.'),
      taskIdle: seconds(HARD_LIMITS.taskLifetimeSeconds)
        .default(900)
        .describe('How long a task that requests share lasts when nothing is granted under it, and nothing is alive.'),
      clockSkew: seconds(HARD_LIMITS.clockSkewSeconds, 0)
        .default(5)
        .describe('Allowed in foreign tokens, and between broker and store.'),
    })
    .prefault({})
    .describe('Seconds.'),
  limits: z
    .strictObject({
      credentialsPerTask: z.int().min(1).max(64).default(16).describe('Alive at once.'),
      credentialsPerSharedTask: z
        .int()
        .min(1)
        .max(256)
        .default(128)
        .describe('The same of a task that many processes may share, because their requests name none.'),
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
      openTasks: quota({ perWorkload: 10_000, perOwner: 50_000, perIssuer: 200_000 }).describe('Open at once.'),
      keptMiB: quota({ perWorkload: 256, perOwner: 1_024, perIssuer: 4_096 }).describe(
        'MiB of records of tasks and credentials, which are kept for a day after their end.',
      ),
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
    .strictObject({
      retentionDays: z.number().positive().default(AUDIT_RETENTION_DAYS).describe('Until entries are pruned.'),
    })
    .prefault({})
    .describe('The audit log.'),
  approvals: approvalsSchema,
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
export type Target = Config['targets'][number];
