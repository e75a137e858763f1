/**
 * The query to a policy engine, in one shape for every decision. Its names are a contract with policy authors (docs/policy.md).
 */
import type { Access } from '../domain/access.js';
import type { Given, Party, PartyRef, RememberedPerson } from '../domain/party.js';
import type { Level } from '../domain/signal.js';

export interface PolicyQuery {
  principal: Party;
  /** A grantable action, or a verb of the broker. */
  action: string;
  resource: PolicyResource;
  context: AccessContext | OperateContext;
}

export type OperatorVerb =
  | 'openTask'
  | 'completeTask'
  | 'completeRun'
  | 'suspendTask'
  | 'resumeTask'
  | 'heartbeat'
  | 'readTask'
  | 'introspect'
  | 'evaluate'
  | 'assertProperties'
  | 'reportUsage'
  | 'revoke'
  | 'readRevocations'
  | 'readCredential'
  | 'readAudit'
  | 'sendSignal'
  | 'followFeed'
  | 'approve'
  | 'breakGlass';

/**
 * The verbs that end or hold: none of them is rate limited, and questions about them do not wait behind any others. A flood must not
 * delay a revocation.
 */
export const NEVER_DELAYED: ReadonlySet<string> = new Set<OperatorVerb>([
  'revoke',
  'completeTask',
  'completeRun',
  'suspendTask',
]);

export type PolicyResource =
  | { type: 'resource'; target: string; path: string }
  | { type: 'target'; target: string }
  | { type: 'task'; task: TaskFacts }
  | { type: 'approval'; approval: ApprovalFacts }
  | { type: 'broker' };

/** The facts about a task that policies may test. A task that is about to be opened has no id yet. */
export interface TaskFacts {
  id?: string;
  workload: PartyRef;
  purpose: string;
  openedBy?: PartyRef;
}

/** The facts about a request that waits for people. Policy is asked for each group that is wanted. */
export interface ApprovalFacts {
  id: string;
  group: string;
  workload: PartyRef;
  onBehalfOf?: RememberedPerson;
  target: string;
  access: readonly Access[];
  purpose: string;
}

/** Who hands on to whom: in a question about access, and in one about opening the task for it. */
export interface Delegation {
  delegationDepth: number;
  /** The nearest of the chain. */
  delegatedBy?: PartyRef;
  chain: PartyRef[];
}

export interface AccessContext extends Delegation {
  kind: 'access';
  purpose: string;
  purposeFrom: 'opener' | 'agent' | 'default';
  /** The requested lifetime, already within the configured bounds. */
  lifetimeSeconds: number;
  onBehalfOf?: RememberedPerson;
  /** Whether the token of that person was ever presented. False when the person was only named, and when there is no person. */
  principalProven: boolean;
  openedBy?: PartyRef;
  approvals: string[];
  risk: Level;
  /** Of a use: what the API that asks says of it. Absent where it says nothing, or may not, and for a grant. */
  given?: Given;
}

export interface OperateContext {
  kind: 'operate';
  /** Present for `revoke`. */
  revocation?: { kind: string; value: string; effect: string; dryRun: boolean };
  /** Present for `completeRun`. `own`: the caller's token names this run. */
  run?: { issuer: string; run: string; own: boolean };
  /** Present for `breakGlass`. `own`: it is the caller's own request, as its principal, its opener, or somebody of its chain. */
  emergency?: { own: boolean };
  /** Present for `openTask`: the requested lifetime, the person whom the task would serve, and who stands above it. */
  opening?: Delegation & { lifetimeSeconds: number; onBehalfOf?: RememberedPerson; principalProven: boolean };
}
