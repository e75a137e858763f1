/** GET /workloads/{id} and GET /owners/{name}: whom to ask, what is alive, and what is held. */
import { z } from 'zod';
import type { AuditEntry } from '../audit/event.js';
import { defined } from '../domain/defined.js';
import { BROKER_ERROR_CODES, BrokerError } from '../domain/errors.js';
import { CLAIM_CHARACTERS_MAX, nameProblem } from '../domain/name.js';
import { LEVELS } from '../domain/signal.js';
import { toTimestamp } from '../domain/time.js';
import { showOwner, showWorkload, type OwnerStanding, type WorkloadStanding } from '../inventory/standing.js';
import { allWithEffects } from '../revocation/effects.js';
import type { HttpDeps } from './deps.js';
import { receiptAnswer, receiptOnWire } from './revocation-contract.js';
import { affectedAnswer, countsOf } from './wire/answers.js';
import { json, time } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { brokerOperation, nothing } from './wire/operation.js';

export const ownerAnswer = z
  .strictObject({
    name: z.string(),
    contact: z.string().exactOptional(),
    runbook: z.string().exactOptional(),
    members: z.string().exactOptional().describe('The group of its people.'),
  })
  .describe('The team that answers for it, and what the configuration says of the team (`owners`).');

export const standingFields = {
  seen: z
    .boolean()
    .exactOptional()
    .describe('Whether it called in the last month or has an open task. Absent: not as far as was looked.'),
  live: affectedAnswer.describe('What a revocation of it would hit now, among the first thousand tasks looked at.'),
  all: z.boolean().describe('Whether `live` is all of it.'),
  held: z.boolean().describe('Whether a hold on it, or on what it hangs on, is in force.'),
  holds: z.array(receiptAnswer).describe('The latest 20 of these holds, the latest first.'),
};

const refusal = z.strictObject({
  at: time(),
  error: z.enum(BROKER_ERROR_CODES).exactOptional(),
  verb: z.string().exactOptional(),
  target: z.string().exactOptional(),
  task: z.string().exactOptional(),
  decision: z.string().exactOptional().describe('The id of the decision of policy.'),
  requestId: z.string().exactOptional(),
  reason: z.string().exactOptional(),
});

const workloadAnswer = z.strictObject({
  workload: z.string(),
  issuer: z.string().describe('The trust name of the issuer that proves it.'),
  owner: ownerAnswer.exactOptional(),
  lastSeenAt: time()
    .exactOptional()
    .describe('When it called last; a call within an hour of that one is not entered. Absent: not within a month.'),
  ...standingFields,
  risk: z.enum(LEVELS).describe('Its level now; why is at `GET /workloads/{id}/risk`.'),
  refusals: z
    .array(refusal)
    .exactOptional()
    .describe(
      'Its latest 10 refusals among the last 5,000 entries of the audit log. Absent if you may not `readAudit`.',
    ),
});

export const workloadReading = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    summary: 'Shows a workload as it stands now: whose it is, what is alive, its risk, its holds, its last refusals.',
    path: { id: 'The id of the workload, as it is or percent-encoded.' },
    answers: { 200: json(workloadAnswer) },
    from: 'query',
    input: nothing,
    async act(permitted, _, { params }) {
      const found = await showWorkload(deps, permitted, params['id'] ?? '');
      const { workload, issuer, owner, seenAt, level, refusals } = found;
      const lastSeenAt = seenAt === undefined ? undefined : toTimestamp(seenAt);
      const shown = { workload, issuer, owner, lastSeenAt, risk: level, refusals: refusals?.map(refusalOnWire) };
      return ok(defined({ ...shown, ...(await standingOnWire(deps, found)) }));
    },
  });

export const ownerReading = (deps: HttpDeps) =>
  brokerOperation(deps, {
    verb: 'readRevocations',
    summary: 'Shows a team as it stands now: whom to ask, what of it is alive, and its holds.',
    path: { name: 'The name of the team, as it is or percent-encoded.' },
    answers: { 200: json(z.strictObject({ owner: ownerAnswer, ...standingFields })) },
    from: 'query',
    input: nothing,
    async act(permitted, _, { params }) {
      const name = params['name'] ?? '';
      const problem = nameProblem(name, CLAIM_CHARACTERS_MAX);
      if (problem !== undefined) throw new BrokerError('invalid_request', `The name of the team ${problem}.`);
      const found = await showOwner(deps, permitted, name);
      return ok({ owner: found.owner, ...(await standingOnWire(deps, found)) });
    },
  });

const standingOnWire = async (
  { ledger }: HttpDeps,
  { seen, live: { affected, all }, held, holds }: WorkloadStanding | OwnerStanding,
) =>
  defined({
    seen,
    live: countsOf(affected),
    all,
    held,
    holds: (await allWithEffects(ledger, holds)).map(receiptOnWire),
  });

const refusalOnWire = ({ at, error, verb, target, task, decision, requestId, reason }: AuditEntry) =>
  defined({ at: toTimestamp(at), error, verb, target, task, decision: decision?.id, requestId, reason });
