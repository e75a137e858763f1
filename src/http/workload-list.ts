/** GET /workloads: the workloads that called lately, in pages. */
import { z } from 'zod';
import { defined } from '../domain/defined.js';
import { nameSchema } from '../domain/schemas.js';
import { LEVELS } from '../domain/signal.js';
import { toTimestamp } from '../domain/time.js';
import { liveUnder } from '../inventory/live.js';
import { ownerOf } from '../inventory/standing.js';
import { listWorkloads, type ListedWorkload } from '../inventory/workloads.js';
import type { HttpDeps } from './deps.js';
import { standingFields, ownerAnswer } from './standing.js';
import { affectedAnswer, countsOf, textsOf, unknownAnswer } from './wire/answers.js';
import { json, time } from './wire/contract.js';
import { ok } from './wire/endpoint.js';
import { nextCursor, workloadCursor, workloadCursorText } from './wire/cursor.js';
import { wholeNumber } from './wire/fields.js';
import { operation } from './wire/operation.js';

const row = z.strictObject({
  workload: z.string(),
  issuer: z.string().describe('The trust name of the issuer that proves it.'),
  owner: ownerAnswer.exactOptional(),
  lastSeenAt: time().describe('When it called last; a call within an hour of that one is not entered.'),
  held: standingFields.held,
  risk: z.enum(LEVELS).describe('Its level now.'),
  live: affectedAnswer.exactOptional().describe('With `live`: what a revocation of it would hit now.'),
  all: z.boolean().exactOptional().describe('Whether `live` is all of it: a thousand of its tasks are looked at.'),
});

const yesOrNo = z.enum(['true', 'false']).transform((text) => text === 'true');

export const workloadList = (deps: HttpDeps) =>
  operation(deps, {
    verb: 'readRevocations',
    summary:
      'Lists the workloads that called in the last month and that the caller may know of, in no particular order.',
    needs: '`readRevocations`, or `readTask` of the tasks of each',
    answers: {
      200: json(
        z.strictObject({
          workloads: z.array(row),
          next: nextCursor,
          unknown: unknownAnswer,
        }),
      ),
    },
    from: 'query',
    input: z.strictObject({
      owner: nameSchema().exactOptional().describe('Those of this team.'),
      issuer: nameSchema().exactOptional().describe('Those that the issuer of this trust name proves.'),
      held: yesOrNo.exactOptional().describe('Those that are held, or those that are not.'),
      risk: z.enum(LEVELS).exactOptional().describe('Those whose level is this now.'),
      live: yesOrNo.default(false).describe('Also count what is alive of each: each counts as a request more.'),
      after: workloadCursor(deps).exactOptional().describe('The `next` of the page before.'),
      limit: wholeNumber(1, 500).default(100).describe('So many at most. Default: 100.'),
    }),
    charged: () => 'nobody',
    permit: (caller, { owner, issuer, held, risk, after, limit }) =>
      listWorkloads(deps, caller, defined({ owner, issuer, held, risk }), defined({ after, limit })),
    async act({ permitted, next, unknown }, { live }) {
      const workloads = [];
      for (const { caller, subject } of permitted) {
        if (live) await deps.assertWithinRate(caller.party);
        workloads.push({ ...rowOnWire(deps, subject), ...(live && (await liveOnWire(deps, subject))) });
      }
      return ok(defined({ workloads, next: next && workloadCursorText(deps, next), unknown: textsOf(unknown) }));
    },
  });

const rowOnWire = ({ settings }: HttpDeps, { party: { id, issuer, owner }, seenAt, held, level }: ListedWorkload) =>
  defined({
    workload: id,
    issuer,
    owner: owner === undefined ? undefined : ownerOf(settings, owner),
    lastSeenAt: toTimestamp(seenAt),
    held,
    risk: level,
  });

async function liveOnWire({ ledger }: HttpDeps, { party: { id } }: ListedWorkload) {
  const { affected, all } = await liveUnder(ledger, { kind: 'workload', value: id });
  return { live: countsOf(affected), all };
}
