/** What POST /revocations does about a deferral code that was found: the question to people is taken back, and nothing is granted by it. */
import { z } from 'zod';
import { takeBack } from '../approvals/cancel.js';
import { APPROVAL_STATES, type Approval, type ApprovalState } from '../domain/approval.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { readApprovalState } from '../ledger/approval-state.js';
import type { PermittedTakingBack } from '../revocation/revoke-by-selector.js';
import type { HttpDeps } from './deps.js';

export const questionAnswer = z
  .strictObject({
    dryRun: z.literal(true).exactOptional(),
    approval: z.strictObject({
      id: z.string(),
      task: z.string(),
      workload: z.string(),
      state: z
        .enum(APPROVAL_STATES)
        .describe(
          'As it stands then: `cancelled`, unless it was settled before. Nothing more is granted by it. Of a dry run: as it stands now.',
        ),
    }),
  })
  .meta({ id: 'LeakedQuestion', description: 'The question to people whose deferral code was found.' });

interface Order {
  reason: string;
  ticket?: string;
  requestId: string;
}

export async function endQuestion(
  { ledger, audit }: Pick<HttpDeps, 'ledger' | 'audit'>,
  { caller, subject: { question, dryRun } }: PermittedTakingBack,
  { reason, ticket, requestId }: Order,
): Promise<z.input<typeof questionAnswer>> {
  if (dryRun) return { dryRun: true, approval: onWire(question, await readApprovalState(ledger, question)) };
  const after = await takeBack({ ledger, audit }, question, defined({ caller, reason, ticket, requestId }));
  if (!after) throw new BrokerError('not_found', 'There is no approval with that id.');
  return { approval: onWire(after, await readApprovalState(ledger, after)) };
}

const onWire = ({ id, task, workload }: Approval, state: ApprovalState) => ({ id, task, workload: workload.id, state });
