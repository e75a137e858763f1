/** The one shape of every question to policy; its names are a contract with policy authors (docs/policy.md). */
import type { Party, PartyRef, RememberedPerson } from '../domain/party.js';
import type { Level } from '../domain/signal.js';

export interface PolicyQuery {
  principal: Party;
  /** A grantable action, or an operator verb. */
  action: string;
  resource: PolicyResource;
  context: AccessContext | OperateContext;
}

export type OperatorVerb =
  | 'openTask'
  | 'completeTask'
  | 'suspendTask'
  | 'resumeTask'
  | 'heartbeat'
  | 'readTask'
  | 'introspect'
  | 'evaluate'
  | 'revoke'
  | 'readRevocations'
  | 'readCredential'
  | 'readAudit'
  | 'sendSignal'
  | 'followFeed'
  | 'approve';

export type PolicyResource =
  | { type: 'resource'; target: string; path: string }
  | { type: 'target'; target: string }
  | { type: 'task'; task: TaskFacts }
  | { type: 'approval'; id: string }
  | { type: 'broker' };

/** What policy may know of a task; a task about to be opened has no id yet. */
export interface TaskFacts {
  id?: string;
  workload: PartyRef;
  purpose: string;
  openedBy?: PartyRef;
}

export interface AccessContext {
  kind: 'access';
  purpose: string;
  purposeFrom: 'opener' | 'agent' | 'default';
  /** What is asked for, already within the configured bounds. */
  lifetimeSeconds: number;
  delegationDepth: number;
  onBehalfOf?: RememberedPerson;
  /** Whether that person's own token was ever presented; false for a mere name, and for nobody. */
  principalProven: boolean;
  openedBy?: PartyRef;
  delegatedBy?: PartyRef;
  chain: PartyRef[];
  approvals: string[];
  risk: Level;
}

export interface OperateContext {
  kind: 'operate';
  /** With `revoke`. */
  revocation?: { kind: string; value: string; effect: string; dryRun: boolean };
  /** With `openTask`: asked deadline, and whom the task would serve. */
  opening?: { lifetimeSeconds: number; onBehalfOf?: RememberedPerson; principalProven: boolean };
}
