/** Quotas: how many open tasks, and how many bytes of records, one party, one team and one issuer may have in the store. */
import { LRUCache } from 'lru-cache';
import type { Deps } from '../authorization/deps.js';
import { BrokerError } from '../domain/errors.js';
import { HISTORY_MS } from '../domain/limits.js';
import type { Cause } from '../domain/selector.js';
import { accountsOf, type Account, type Level, type Quotas } from '../ledger/accounts.js';
import { countKeptBytes, enterKeptBytes } from '../ledger/kept-bytes.js';
import type { Ledger } from '../ledger/ledger.js';
import { countOpened, settleSome } from '../ledger/opened-tasks.js';
import { createAllowance } from './allowance.js';

const MIB = 1024 * 1024;
/** An account without room is looked through for ended tasks so often. */
const LOOKED_THROUGH_MS = 10_000;
const ACCOUNTS_MAX = 10_000;

export function createQuotas(ledger: Ledger, { openTasks, keptMiB }: Quotas): Deps['assertWithinQuota'] {
  const { clock } = ledger;
  const tasks = createAllowance({ limits: openTasks, count: (account) => countOpened(ledger, account), clock });
  const countMiB = async (account: Cause) => (await countKeptBytes(ledger, account)) / MIB;
  const records = createAllowance({ limits: keptMiB, count: countMiB, clock });
  const lookedThrough = new LRUCache<Cause, number>({ max: ACCOUNTS_MAX });

  /** Tasks that a revocation has ended may still be counted. Where they are, there is room after all. */
  async function makesRoom({ account }: Account): Promise<boolean> {
    const last = lookedThrough.get(account);
    if (last !== undefined && clock.elapsed() - last < LOOKED_THROUGH_MS) return false;
    if ((await settleSome(ledger, account)) > 0) return true;
    lookedThrough.set(account, clock.elapsed());
    return false;
  }

  return async (party, { bytes, task, opens }) => {
    const accounts = accountsOf(party);
    const tooLarge = await records.take(accounts, bytes / MIB);
    if (tooLarge) throw fullOfRecords(tooLarge.level, keptMiB[tooLarge.level]);
    if (opens) {
      const full = await tasks.take(accounts, 1);
      if (full && (!(await makesRoom(full)) || (await tasks.take(accounts, 1))))
        throw fullOfTasks(full.level, openTasks[full.level]);
    }
    const payers = accounts.map(({ account }) => account);
    await enterKeptBytes(ledger, payers, { bytes, until: task.deadline + HISTORY_MS });
  };
}

const WHO: Record<Level, string> = {
  perWorkload: 'A workload or person',
  perOwner: 'The workloads of a team together',
  perIssuer: 'The workloads and persons of an issuer together',
};

const fullOfTasks = (level: Level, most: number) =>
  new BrokerError('quota_exceeded', `${WHO[level]} may have ${most} open tasks. Complete those that are done.`, {
    retryAfterSeconds: 60,
  });

const fullOfRecords = (level: Level, most: number) =>
  new BrokerError(
    'quota_exceeded',
    `${WHO[level]} may have ${most} MiB of records. Each counts until a day after the deadline of its task.`,
    {
      retryAfterSeconds: 3_600,
    },
  );
