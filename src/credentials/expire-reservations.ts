/** Ends credentials that were reserved and never handed out, because the exchange failed or its broker died. */
import type { Credential } from '../domain/credential.js';
import { shardOf, SHARDS, type Shard } from '../domain/id.js';
import { BROKER } from '../domain/reserved.js';
import { dropCredential, readCredentials } from '../ledger/credentials.js';
import { eachSettled } from '../ledger/each-settled.js';
import { unconfirmedIndex } from '../ledger/keys.js';
import type { Ledger } from '../ledger/ledger.js';
import { revoke } from '../ledger/revoke.js';

const BATCH = 100;

/** Publishes one entry, however often and by whichever broker it is called. */
export const endUnreleased = (ledger: Ledger, credential: Pick<Credential, 'id' | 'expiresAt'>, reason: string) =>
  revoke(ledger, {
    id: `unwind:${credential.id}`,
    selector: { kind: 'credential', value: credential.id },
    effect: 'end',
    reason,
    actor: BROKER,
    knownEnd: credential.expiresAt,
  });

/**
 * If the answer of a target was lost, there may be a credential that nobody holds. It is ended in the log like any other, and
 * the end is pushed to its target.
 */
export async function expireReservations(ledger: Ledger): Promise<void> {
  const due = await Promise.all(SHARDS.map((shard) => dueIn(ledger, shard)));
  await eachSettled(due.flat(), async ([id]) => {
    const [credential] = await readCredentials(ledger, [id]);
    if (credential?.state === 'reserved') {
      await endUnreleased(ledger, credential, 'its minting was never confirmed');
      await dropCredential(ledger, credential);
    }
    await ledger.records.commit({ unindex: [[unconfirmedIndex(shardOf(id)), id]] });
  });
}

const dueIn = ({ records, clock }: Ledger, shard: Shard) =>
  records.range(unconfirmedIndex(shard), { to: clock.now(), limit: BATCH });
