/** What the credentials of a task were granted, and what is known of their use, from the audit log. */
import { parseEntry } from '../audit/event.js';
import type { AuditLog } from '../audit/log.js';
import { addUp, type CredentialUsage } from '../audit/usage.js';
import type { PermittedTask } from '../authorization/permit-on-task.js';
import { FORGET_MARGIN_MS } from '../domain/limits.js';
import { MINUTE_MS } from '../domain/time.js';
import type { AuthenticatedCaller } from '../identity/proof.js';

interface TaskUsage {
  credentials: CredentialUsage[];
  /** Whether all that the audit log has of the task was read. */
  complete: boolean;
}

interface TaskUsageDeps {
  audit: Pick<AuditLog, 'page'>;
  /** Takes further requests from the rate of the caller, or throws `slow_down`. */
  assertWithinRate: (party: AuthenticatedCaller['party'], requests: number) => Promise<void>;
}

const PAGES_MOST = 20;
/** A page reads 5,000 lines, which takes as long as ten other requests. Every agent may ask this, about its own task. */
const REQUESTS_A_PAGE = 10;
const LINES_A_PAGE = 1_000;
const USES_MOST = 1_000;
/** Uses are entered by the minute, and reports may come ten minutes late. */
const ENTERED_LATE_MS = 15 * MINUTE_MS;

export async function readTaskUsage(
  { audit, assertWithinRate }: TaskUsageDeps,
  { caller, subject: { task } }: PermittedTask<'readTask'>,
): Promise<TaskUsage> {
  const usage = addUp(USES_MOST);
  const filter = {
    task: task.id,
    from: task.openedAt - FORGET_MARGIN_MS,
    ...(task.ended && { to: task.ended.at + ENTERED_LATE_MS }),
  };
  let after = 0;
  for (let pages = 0; pages < PAGES_MOST; pages += 1) {
    // The request itself is counted already.
    await assertWithinRate(caller.party, pages === 0 ? REQUESTS_A_PAGE - 1 : REQUESTS_A_PAGE);
    const { lines, next } = await audit.page({ after, limit: LINES_A_PAGE, filter });
    for (const line of lines) usage.add(parseEntry(line));
    if (next === undefined) return { credentials: usage.credentials(), complete: true };
    after = next;
  }
  return { credentials: usage.credentials(), complete: false };
}
