/** Requests that wait for people, written into a broker's Redis by its own ledger code. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { Approval } from '../../../src/domain/approval.js';
import { newId, shardOf } from '../../../src/domain/id.js';
import { aboveOf, taskSchema, type Task } from '../../../src/domain/task.js';
import { approvalStep } from '../../../src/ledger/approvals.js';
import { recordKey } from '../../../src/ledger/keys.js';
import type { Records } from '../../../src/store/store.js';
import { TICKETS, type TestBroker } from '../brokers/http.js';
import { openStoreAt } from '../redis-store.js';

export type ParkedWish = Partial<Omit<Approval, 'asked'>> & { asked?: Partial<Approval['asked']> };

/** Returns the records of the broker's store. */
export async function recordsOf(broker: TestBroker): Promise<Records> {
  const { store, redis } = parse(readFileSync(broker.configFile, 'utf8')) as {
    store: string;
    redis: { prefix: string };
  };
  return (await openStoreAt(store, { prefix: redis.prefix, clock: broker.clock })).records;
}

/** Writes a request of this task that waits. */
export async function park(broker: TestBroker, task: string, wish: ParkedWish = {}): Promise<Approval> {
  const records = await recordsOf(broker);
  const [text = ''] = await records.read([recordKey(task)]);
  const approval = waiting(taskSchema.parse(JSON.parse(text)), broker.clock.now(), wish);
  if (!(await records.commit(approvalStep(undefined, approval)))) throw new Error('it was there before');
  return approval;
}

const waiting = (task: Task, now: number, { asked, ...wish }: ParkedWish): Approval => ({
  id: newId('apr', shardOf(task.id)),
  task: task.id,
  workload: task.workload,
  ...(task.principal && { principal: task.principal }),
  ...(task.openedBy && { openedBy: task.openedBy }),
  above: aboveOf(task),
  ...(task.openerAddresses && { openerAddresses: task.openerAddresses }),
  ...(task.chain && { chain: task.chain }),
  purpose: task.purpose,
  purposeFrom: task.purposeFrom,
  asked: {
    target: TICKETS,
    access: [{ path: 'incident/4711', actions: ['read', 'write'] }],
    lifetimeSeconds: 600,
    askedAsScope: true,
    ...asked,
  },
  digest: newId('dec'),
  needs: [{ group: 'sre-oncall', approvers: 1 }],
  policies: ['writes-need-the-on-call'],
  policyDigest: 'x',
  askedAt: now,
  lapsesAt: now + 3_600_000,
  answers: [],
  deferralCodes: [],
  revision: 0,
  ...wish,
});
