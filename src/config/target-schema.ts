/** The `targets` of the configuration: one shape for each kind, by its `minter`. */
import { z } from 'zod';
import { HARD_LIMITS } from '../domain/limits.js';
import { SESSION_SECONDS_LEAST } from '../targets/aws.js';
import { isRegion, isRoleArn } from '../targets/aws-names.js';
import { routeOf } from '../targets/forward-routes.js';
import { nameSchema } from '../domain/schemas.js';
import { absoluteUri, keyUrl, origin, resourcePath, scopeAccess, scopeName, seconds } from './values.js';

const roleArn = z
  .string()
  .refine(
    isRoleArn,
    'must be the ARN of an IAM role such as arn:aws:iam::111122223333:role/jit/agent, of letters, digits and + = , . @ _ - /; its path has at most 512 characters, its name 64',
  );
const awsRegion = z.string().refine(isRegion, 'must be a region such as eu-central-1');

const label = z.strictObject({
  match: resourcePath.describe('A resource path; `*` is one segment, `**` (last only) one or more.'),
  sensitivity: z
    .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
    .transform((value) => [value].flat())
    .describe('A word, or several, that policies can test (`resource.sensitivity`).'),
});

const route = z
  .strictObject({
    match: z.string().describe('`<METHOD> <path>`; `{name}` stands for one segment. The first that fits counts.'),
    access: z.string().describe('What it needs: `<path>:<action>`, with `{name}` of the match.'),
  })
  .transform(({ match, access }, context) => {
    const made = routeOf(match, access);
    if (typeof made !== 'string') return made;
    context.addIssue({ code: 'custom', message: made });
    return z.NEVER;
  });

const forwardAuth = z.strictObject({
  name: nameSchema()
    .regex(/^[a-z0-9][a-z0-9.-]*$/, 'must be lower-case letters, digits, "." and "-"')
    .describe('Gateways ask at `/forward-auth/<name>`.'),
  routes: z.array(route).min(1).max(256).describe('Which access a request needs. A request that fits none is refused.'),
});

const policyFacts = {
  labels: z.array(label).default([]).describe('What policy may know of a path. Never from the requester.'),
  tags: z.record(z.string(), z.string()).default({}).describe('Cedar tags of the target: a name and its text.'),
};

const jwtTarget = z.strictObject({
  resource: absoluteUri.describe('RFC 8707 resource indicator; becomes `aud`.'),
  minter: z.literal('jwt').describe('What kind of credential it takes: a signed JWT access token.'),
  audiences: z
    .array(z.string().min(1).max(255))
    .max(8)
    .exactOptional()
    .describe('Other names that clients call it by, as `resource` or `audience`. `aud` is always the resource.'),
  scopes: z
    .record(
      scopeName,
      z
        .array(scopeAccess)
        .min(1)
        .transform((parts) => parts.flat()),
    )
    .exactOptional()
    .describe('Plain names that clients ask for as `scope`, each with what it stands for.'),
  defaultAccess: z
    .array(scopeAccess)
    .min(1)
    .transform((parts) => parts.flat())
    .exactOptional()
    .describe('What a request asks for that names no access: `<path>:<action>` each.'),
  defaultPurpose: z
    .string()
    .min(1)
    .max(256)
    .exactOptional()
    .describe('The purpose of a request that names neither purpose nor task. Policy sees `purposeFrom: default`.'),
  forwardAuth: forwardAuth
    .exactOptional()
    .describe('Lets gateways ask whether a request may pass, by the credential in it.'),
  ...policyFacts,
});

const awsSettings = z.strictObject({
  region: awsRegion.describe('Whose STS is asked.'),
  audience: z
    .string()
    .min(1)
    .max(255)
    .default('sts.amazonaws.com')
    .describe('The `aud` of what proves the broker to AWS: a client id of its OIDC provider there.'),
  issuer: origin
    .optional()
    .describe(
      'Its `iss`, where AWS is to fetch the keys elsewhere than at the broker; default: the issuer of the broker.',
    ),
  revokerRole: roleArn.describe('The role by which the broker writes the deny policy of the target.'),
  wholeRole: z.boolean().default(false).describe('Whether the role can be asked for as it is (`aws:assumeRole`).'),
  context: z
    .boolean()
    .default(false)
    .describe('Whether AWS is told for whom a session is: the person or workload, the task and its purpose.'),
  lifetimeMax: seconds(HARD_LIMITS.credentialLifetimeSeconds, SESSION_SECONDS_LEAST)
    .default(HARD_LIMITS.credentialLifetimeSeconds)
    .describe('The most seconds a session gets; no more than the maximum session duration of the role.'),
  mintsPerSecond: z.int().min(1).max(1_000).default(50).describe('Calls to STS for this role, counted by each broker.'),
  stsEndpoint: keyUrl.optional().describe('Default: the STS of the region. Never taken from the environment.'),
  iamEndpoint: keyUrl
    .optional()
    .describe("Default: the IAM of the role's partition. Never taken from the environment."),
});

const awsTarget = z.strictObject({
  resource: roleArn.describe('The ARN of the IAM role.'),
  minter: z.literal('aws-sts').describe('A session of an IAM role, from AWS STS.'),
  aws: awsSettings.describe('How AWS is reached, and what may be asked of the role.'),
  ...policyFacts,
});

export const targetSchema = z.discriminatedUnion('minter', [jwtTarget, awsTarget]);

export type AwsTarget = Extract<z.output<typeof targetSchema>, { minter: 'aws-sts' }>;
