/** A broker whose policies ask people, and answers of people written into the record: who may answer is another matter. */
import type { Approval, ApprovalAnswer } from '../../../src/domain/approval.js';
import { BrokerError } from '../../../src/domain/errors.js';
import type { Issued } from '../../../src/credentials/release.js';
import { changeApproval, readApproval } from '../../../src/ledger/approvals.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import type { Store } from '../../../src/store/store.js';
import { wholeBroker, type WholeBroker } from '../brokers/use-cases.js';
import type { HandClock } from '../clock.js';
import { engineOf } from '../policy.js';

const ANYTHING = `
@id("anything") permit (principal, action, resource);`;

/** A forbid on an action that the yes of a group opens. */
export const asks = (action: string, group: string, more = ''): string => `
@id("${action}-asks-${group}") @approval("${group}") ${more} forbid (principal, action == Action::"${action}", resource)
  unless { context.approvals.contains("${group}") };`;

export const WRITES_ASK = asks('write', 'sre');

/** `policies`: beside a permit for everything. */
export async function askingBroker({
  policies = WRITES_ASK,
  ...given
}: { policies?: string; store?: Store; clock?: HandClock } = {}): Promise<WholeBroker> {
  return wholeBroker({ ...given, policy: await engineOf(ANYTHING + policies) });
}

/** Asks for a credential that policy wants people to agree to. Returns the refusal that says which question was asked. */
export async function waitingFor(asking: Promise<Issued>): Promise<{ id: string; task: string }> {
  const error = await asking.then(
    () => new Error('it was granted'),
    (thrown: unknown) => thrown,
  );
  const approval = error instanceof BrokerError ? error.details.approval : undefined;
  if (!approval) throw error;
  return approval;
}

/** Adds an answer to the record, which completes it unless told otherwise. */
export async function answered(
  { ledger }: { ledger: Ledger },
  id: string,
  answer: Partial<ApprovalAnswer> & { usableSeconds?: number } = {},
): Promise<Approval> {
  const { usableSeconds = 300, ...given } = answer;
  const at = ledger.clock.now();
  const changed = await changeApproval(ledger, id, (approval) => ({
    ...approval,
    answers: [
      ...approval.answers,
      {
        by: { kind: 'person', id: 'staff:bo', issuer: 'staff' },
        at,
        says: 'approve',
        groups: approval.needs.map(({ group }) => group),
        issuedAt: at - 60_000,
        ...given,
      },
    ],
    ...(given.says !== 'deny' && { usableUntil: at + usableSeconds * 1000 }),
  }));
  if (!changed) throw new Error('there is no such approval');
  return changed;
}

export async function approvalOf({ ledger }: { ledger: Ledger }, id: string): Promise<Approval> {
  const stored = await readApproval(ledger, id);
  if (!stored) throw new Error('there is no such approval');
  return stored.value;
}
