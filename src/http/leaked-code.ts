/** What POST /revocations does about a deferral code that was found: the question to people is taken back, and nothing is granted by it. */
import { z } from 'zod';
import { approvalFields } from '../approvals/audit-fields.js';
import { takeBack } from '../approvals/cancel.js';
import { callerFields } from '../authorization/audit.js';
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
  const order = defined({ caller, reason, ticket, requestId });
  if (dryRun) {
    const state = await readApprovalState(ledger, question);
    await auditLook(audit, question, { ...order, at: ledger.clock.now() });
    return { dryRun: true, approval: onWire(question, state) };
  }
  const ended = await takeBack({ ledger, audit }, question, order);
  if (!ended) throw new BrokerError('not_found', 'There is no approval with that id.');
  const { approval, isTaken } = ended;
  if (!isTaken) await auditLook(audit, approval, { ...order, at: ledger.clock.now() });
  return { approval: onWire(approval, await readApprovalState(ledger, approval)) };
}

/** Whoever has learnt of a question by its code, and changed nothing about it, is in the log too. */
async function auditLook(
  audit: HttpDeps['audit'],
  approval: Approval,
  { caller, ...look }: Order & { caller: PermittedTakingBack['caller']; at: number },
): Promise<void> {
  await audit.append({
    type: 'revocation.previewed',
    ...callerFields(caller),
    ...approvalFields(approval, {}),
    ...look,
  });
}

const onWire = ({ id, task, workload }: Approval, state: ApprovalState) => ({ id, task, workload: workload.id, state });
