/**
 * Lifts what a reaction has held by mistake: all its holds that are in force, so many at once. Policy is asked about each as if it
 * were lifted alone. Each lift is an entry of the revocation log, as always, and one entry of the audit log counts them.
 */
import { callerFields, publishedBy } from '../authorization/audit.js';
import type { Deps } from '../authorization/deps.js';
import type { Permitted } from '../authorization/permission.js';
import type { PermitDeps } from '../authorization/permit.js';
import { MANY, permittedAmong } from '../authorization/permit-revocation.js';
import { defined } from '../domain/defined.js';
import { eachSettled } from '../ledger/each-settled.js';
import { followReceipts } from '../ledger/follow-receipts.js';
import { findReceipts } from '../ledger/receipts.js';
import { lift } from '../ledger/revoke.js';
import { matches, revocationToLift, type ReceiptFilter } from './receipts.js';

interface Lifting {
  filter: Required<Pick<ReceiptFilter, 'reaction'>> & Pick<ReceiptFilter, 'source'>;
  reason?: string;
  /** The number of the revocation where the call before stopped. */
  after?: number;
  requestId: string;
}

interface Lifted {
  lifted: number;
  /** Those that policy does not let the caller lift. They are in force as before. */
  refused: number;
  /** Where the next call goes on; absent when all were looked at. */
  next?: number;
}

export async function liftAll(
  deps: PermitDeps & Pick<Deps, 'audit'>,
  { caller }: Permitted<'readRevocations'>,
  { filter, reason = 'lifted', after = 0, requestId }: Lifting,
): Promise<Lifted> {
  const { ledger, audit } = deps;
  const held = { ...filter, state: 'held' as const };
  const { receipts, next } = await findReceipts(ledger, (one) => matches(one, held), { after, limit: MANY.most });
  const may = await permittedAmong(deps, caller, {
    subjects: receipts,
    nameOf: ({ seq }) => `revocation ${seq}`,
    revocationOf: (hold) => revocationToLift({ hold }),
  });
  const refused = receipts.length - may.length;
  if (may.length === 0) return defined({ lifted: 0, refused, next });

  const at = ledger.clock.now();
  const together = { ...filter, count: may.length, of: may.map(({ subject }) => String(subject.seq)) };
  await audit.append({ type: 'revocation.lifted_all', at, ...callerFields(caller), together, reason, requestId });
  const by = { ...publishedBy(caller), reason };
  let lifted = 0;
  const lifting = eachSettled(
    may,
    async ({ subject }) => {
      if (await lift(ledger, subject, by)) lifted += 1;
    },
    MANY.concurrency,
  );
  // The holds are lifted, whatever happens here: a store that is too full to record it gets the record later.
  try {
    await lifting;
  } finally {
    await followReceipts(ledger).catch(() => undefined);
  }
  return defined({ lifted, refused, next });
}
