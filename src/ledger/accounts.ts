/**
 * Accounts: in whose name the open tasks, and the bytes of records, are counted that a party causes. It pays who asks for a
 * task, not the workload that the task is for: otherwise an orchestrator could use up what another workload may have.
 */
import type { PartyRef } from '../domain/party.js';
import { cause, type Cause } from '../domain/selector.js';

export type Level = 'perIssuer' | 'perOwner' | 'perWorkload';

/** The most that each account may have at once. */
export interface Quotas {
  openTasks: Readonly<Record<Level, number>>;
  /** MiB of records that are still kept. */
  keptMiB: Readonly<Record<Level, number>>;
}

export interface Account {
  level: Level;
  account: Cause;
}

/**
 * Returns the accounts of a workload or a person, the widest first: each contains the next. A team has one at each issuer, so
 * that what one issuer says of its workloads uses up nothing of a team's workloads elsewhere.
 */
export const accountsOf = ({ id, issuer, owner }: PartyRef): Account[] => [
  { level: 'perIssuer', account: cause('issuer', issuer) },
  ...(owner === undefined ? [] : [{ level: 'perOwner', account: cause('owner', `${issuer}/${owner}`) } as const]),
  { level: 'perWorkload', account: cause('workload', id) },
];
