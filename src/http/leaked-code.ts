/** How POST /revocations shows the approval whose deferral code was found. */
import { z } from 'zod';
import { APPROVAL_STATES, type Approval, type ApprovalState } from '../domain/approval.js';

export const leakedApprovalAnswer = z
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
  .meta({ id: 'LeakedApproval', description: 'The question to people whose deferral code was found.' });

export const leakedOnWire = (
  { approval: { id, task, workload }, state }: { approval: Approval; state: ApprovalState },
  dryRun: boolean,
): z.input<typeof leakedApprovalAnswer> => ({
  ...(dryRun && { dryRun }),
  approval: { id, task, workload: workload.id, state },
});
