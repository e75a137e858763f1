/**
 * What an API says of the use of its credentials. Nobody but the API has seen it, so it is entered as its word, and nothing is
 * permitted or refused because of it.
 */
import { callerFields, taskFields } from '../authorization/audit.js';
import type { Permitted } from '../authorization/permission.js';
import { defined } from '../domain/defined.js';
import type { Task } from '../domain/task.js';
import { MINUTE_MS } from '../domain/time.js';
import { readCredentials } from '../ledger/credentials.js';
import { readTasks } from '../ledger/tasks.js';
import type { Deps } from './deps.js';

interface ReportedUse {
  /** The id of a credential. */
  credential: string;
  /** One path, no pattern, and the action. Absent: uses that the reporter did not keep apart. */
  resource?: string;
  action?: string;
  /** Whether the API let it pass. */
  permitted: boolean;
  count: number;
}

/** Reports come in batches, so a little after the use. Later ones would change what people have read already. */
const REPORTED_LATE_MS = 10 * MINUTE_MS;

/**
 * Returns how many of the uses were taken. Left out, and not told apart, is each whose credential is unknown, is for another target,
 * or has been over for too long: a reporter learns nothing of credentials that were never shown to it.
 */
export async function reportUsage(
  { ledger, audit }: Pick<Deps, 'ledger' | 'audit'>,
  { caller, subject: { target } }: Permitted<'reportUsage', { target: string }>,
  { uses, requestId }: { uses: readonly ReportedUse[]; requestId: string },
): Promise<number> {
  const at = ledger.clock.now();
  const named = await readCredentials(ledger, [...new Set(uses.map(({ credential }) => credential))]);
  const own = named.filter((one) => one.target === target);
  const tasks = await readTasks(ledger, [...new Set(own.map(({ task }) => task))]);
  const taskOf = new Map(tasks.map(({ value }) => [value.id, value]));
  const takenFor = new Map<string, Task>();
  for (const { id, expiresAt, task: of } of own) {
    const task = taskOf.get(of);
    if (task && at < Math.min(expiresAt, task.ended?.at ?? Infinity) + REPORTED_LATE_MS) takenFor.set(id, task);
  }
  const taken = uses.flatMap((use) => {
    const task = takenFor.get(use.credential);
    return task ? [{ ...use, task }] : [];
  });
  for (const { credential, resource, action, permitted, count, task } of taken)
    await audit.append(
      defined({
        type: 'access.reported' as const,
        at,
        ...callerFields(caller),
        ...taskFields(task),
        credential,
        target,
        access: resource !== undefined && action !== undefined ? [{ path: resource, actions: [action] }] : undefined,
        times: count,
        outcome: permitted ? 'permitted' : 'denied',
        requestId,
      }),
    );
  return taken.length;
}
