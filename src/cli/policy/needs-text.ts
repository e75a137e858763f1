/** What policy wants of people, in words. */
import type { NeededApproval } from '../../domain/approval.js';

export const needsText = (needs: readonly NeededApproval[]): string => needs.map(needText).join(' and ');

function needText({ group, approvers, reuse }: NeededApproval): string {
  const whose = approvers === 1 ? group : `${approvers} of ${group}`;
  return reuse ? `${whose} for the rest of the task` : whose;
}
