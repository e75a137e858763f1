/**
 * Dismisses what a flood of false alarms left pending: all that pass a filter, so many at once. Policy is asked about each as if it
 * were dismissed alone, and the audit log has one entry for all.
 */
import { callerFields } from '../authorization/audit.js';
import type { Deps } from '../authorization/deps.js';
import type { Permitted } from '../authorization/permission.js';
import type { PermitDeps } from '../authorization/permit.js';
import { MANY, permittedAmong } from '../authorization/permit-revocation.js';
import { defined } from '../domain/defined.js';
import { withoutTokens } from '../domain/token-in-text.js';
import { eachSettled } from '../ledger/each-settled.js';
import { takeSignal } from '../ledger/signals.js';
import { revocationOf } from './confirm.js';
import { showSignals, type SignalFilter, type SignalPlace } from './list.js';

interface Dismissal {
  filter: Pick<SignalFilter, 'source' | 'reaction' | 'subject'>;
  reason?: string;
  /** Where the call before stopped. */
  after?: SignalPlace;
  requestId: string;
}

interface Dismissed {
  dismissed: number;
  /** Those that policy does not let the caller decide about. They are pending as before. */
  refused: number;
  /** Where the next call goes on; absent when all were looked at. */
  next?: SignalPlace;
}

export async function dismissAll(
  deps: PermitDeps & Pick<Deps, 'audit'>,
  permitted: Permitted<'readRevocations'>,
  { filter, reason, after, requestId }: Dismissal,
): Promise<Dismissed> {
  const { ledger, audit } = deps;
  const { caller } = permitted;
  const page = defined({ after, limit: MANY.most });
  const { signals, next } = await showSignals(ledger, permitted, { ...filter, state: 'pending' }, page);
  const may = await permittedAmong(deps, caller, {
    subjects: signals,
    nameOf: ({ id }) => `signal ${id}`,
    revocationOf: (signal) => revocationOf({ signal }),
  });
  const refused = signals.length - may.length;
  if (may.length === 0) return defined({ dismissed: 0, refused, next });

  const at = ledger.clock.now();
  const said = reason === undefined ? undefined : withoutTokens(reason);
  const together = defined({ ...filter, count: may.length, of: may.map(({ subject }) => subject.id) });
  // The entry comes first: nobody's alarm is dismissed of which it does not say by whom.
  await audit.append(
    defined({ type: 'signal.decided_all' as const, at, ...callerFields(caller), together, reason: said, requestId }),
  );
  const decided = defined({ by: caller.party.id, at, reason: said, ...caller.trace });
  let dismissed = 0;
  await eachSettled(
    may,
    async ({ subject: { id } }) => {
      // What somebody confirmed meanwhile stays confirmed.
      const taken = await takeSignal(ledger, { id, from: 'pending' }, () => ({ state: 'dismissed', decided }));
      if (taken) dismissed += 1;
    },
    MANY.concurrency,
  );
  return defined({ dismissed, refused, next });
}
