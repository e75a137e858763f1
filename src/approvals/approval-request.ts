/** A request for a credential that policy would permit once people have agreed to it. */
import type { AccessQuestion, Decision } from '../authorization/decide.js';
import type { Deps } from '../authorization/deps.js';
import type { Requester } from '../authorization/requester.js';
import type { Approval } from '../domain/approval.js';
import type { Asked } from '../domain/asked.js';
import type { PartyRef } from '../domain/party.js';
import type { Task } from '../domain/task.js';
import type { FoundTask } from '../ledger/found-task.js';

export interface ApprovalRequest extends FoundTask {
  requester: Requester;
  /** The task that it is asked under: as it is worked under now, or as it would be opened. */
  task: Task;
  asked: Asked & { askedAsScope: boolean };
  /** What policy was asked, and its answer: that people must agree. */
  question: AccessQuestion;
  needed: Decision;
  requestId: string;
}

/** What becomes of a request that people have not answered. */
export interface Parked {
  waiting: Approval;
  /** That people must agree. */
  decision: Decision;
}

export interface ApprovalDeps extends Pick<Deps, 'ledger' | 'policy' | 'audit' | 'settings' | 'assertWithinQuota'> {
  assertWithinRate(party: PartyRef, points?: number): Promise<void>;
}
