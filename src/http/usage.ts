/** What was used of what was granted: APIs report it, and whoever may read a task reads it. */
import { z } from 'zod';
import { isGranted, unusedOf, type CredentialUsage, type Use } from '../audit/usage.js';
import { permitOnTarget } from '../authorization/permit-on-broker.js';
import { reportUsage } from '../credentials/report-usage.js';
import { isAction, isPattern, pathProblem } from '../domain/access.js';
import { defined } from '../domain/defined.js';
import { natural } from '../domain/schemas.js';
import { toTimestamp } from '../domain/time.js';
import { readTaskUsage } from '../inventory/task-usage.js';
import { USE_COUNT_MOST, USES_MOST } from '../protocol/usage.js';
import { detailSchema, detailsOf } from '../targets/requested-access.js';
import { json, time } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { printable } from './wire/fields.js';
import { nothing, operation, taskOperation } from './wire/operation.js';
import type { HttpDeps } from './deps.js';

const use = z
  .strictObject({
    credential: printable(64).describe('The id of the credential (`jti`).'),
    resource: z
      .string()
      .refine((path) => pathProblem(path) === undefined && !isPattern(path), 'must be one path, no pattern')
      .exactOptional()
      .describe('The path under the target. Absent, with `action`: uses that you did not keep apart.'),
    action: z.string().refine(isAction, 'must be an action').exactOptional(),
    permitted: z.boolean().describe('Whether you let it pass.'),
    count: z.int().min(1).max(USE_COUNT_MOST).default(1).describe('How often since the last report.'),
  })
  .refine((one) => (one.resource === undefined) === (one.action === undefined), 'resource and action go together');

const input = z.strictObject({
  target: printable(2_048).describe('The API that reports, by the `resource` or one of the `audiences` of its target.'),
  uses: z.array(use).min(1).max(USES_MOST),
});

/** POST /usage takes what an API says of the use of its credentials. */
export const usageReport = (deps: HttpDeps) => {
  const targetOf = (name: string) => deps.targets.get(name)?.resource ?? name;
  return operation(deps, {
    verb: 'reportUsage',
    summary:
      'Takes what an API says of the use of its credentials, in batches. Nothing is permitted or refused because of it; ' +
      '[what it is for](resource-servers.md#say-what-was-used).',
    needs: '`reportUsage` on the target',
    answers: {
      200: json(
        z.strictObject({
          taken: natural.describe(
            'How many of the uses were taken: not those of credentials that are unknown, of another target, or long over.',
          ),
        }),
      ),
    },
    from: 'body',
    input,
    // What others make an API report is not its own doing.
    charged: () => 'nobody',
    permit: (caller, { target }) => permitOnTarget(deps, caller, 'reportUsage', targetOf(target)),
    act: async (permitted, { uses }, { requestId }) =>
      ok({ taken: await reportUsage(deps, permitted, { uses, requestId }) }),
  });
};

const useAnswer = z.strictObject({
  resource: z.string().exactOptional().describe('The path. Absent: uses that were too many to be kept apart.'),
  action: z.string().exactOptional(),
  permitted: natural.describe('How often it was let pass.'),
  denied: natural.describe('How often it was refused. Of what the broker itself refused, the first of each minute.'),
  lastAt: time().describe('When the latest was entered: up to a minute after the use, or after the report.'),
  reportedBy: z
    .string()
    .exactOptional()
    .describe('Whose word it is: the party that reported it. Absent: the broker itself decided it.'),
  beyondGrant: z.literal(true).exactOptional().describe('It was let pass, and the credential was not granted it.'),
});

const usageAnswer = z.strictObject({
  task: z.string(),
  complete: z.boolean().describe('False: the broker was so busy in that time that later uses were not looked at.'),
  credentials: z.array(
    z.strictObject({
      id: z.string(),
      target: z.string().describe('The `resource` of its target.'),
      issuedAt: time().exactOptional(),
      expiresAt: time().exactOptional(),
      access: z.array(detailSchema).exactOptional().describe('What was granted.'),
      uses: z.array(useAnswer),
      unused: z
        .array(detailSchema)
        .exactOptional()
        .describe('What of it no use is known of. Where nobody reports, that is all of it, and means nothing.'),
    }),
  ),
});

/** GET /tasks/{id}/usage shows what its credentials were granted, and what is known of their use. */
export const taskUsage = (deps: HttpDeps) =>
  taskOperation(deps, {
    verb: 'readTask',
    summary: 'Shows what the credentials of a task were granted, and what was used of it, as far as anybody says so.',
    path: { id: 'The id of the task.' },
    answers: { 200: json(usageAnswer) },
    refusals: ['not_found'],
    from: 'query',
    input: nothing,
    async act(permitted) {
      const { credentials, complete } = await readTaskUsage(deps, permitted);
      return ok({ task: permitted.subject.task.id, complete, credentials: credentials.map(credentialOnWire) });
    },
  });

function credentialOnWire({ id, target, grant, uses }: CredentialUsage) {
  const shown = uses.map((one) => useOnWire(one, grant && !isGranted(grant.access, one)));
  if (!grant) return { id, target, uses: shown };
  const { access, issuedAt, expiresAt } = grant;
  return {
    id,
    target,
    issuedAt: toTimestamp(issuedAt),
    expiresAt: toTimestamp(expiresAt),
    access: detailsOf(target, access),
    uses: shown,
    unused: detailsOf(target, unusedOf(access, uses)),
  };
}

const useOnWire = ({ path, lastAt, ...counts }: Use, isBeyond: boolean | undefined) =>
  defined({
    resource: path,
    ...counts,
    lastAt: toTimestamp(lastAt),
    beyondGrant: (isBeyond && path !== undefined && counts.permitted > 0) || undefined,
  });
