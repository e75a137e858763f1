/** Signals that wait for somebody else to say so too, and nobody has in time: nothing comes of them. */
import { forEach } from '../ledger/for-each.js';
import { takeSignal, waitedInVain } from '../ledger/signals.js';
import { react, type ReactDeps } from './react.js';

/** Of a shard at a time: the rest has its turn soon. */
const BATCH = 100;

export async function giveUpWaiting(deps: ReactDeps): Promise<void> {
  await forEach(await waitedInVain(deps.ledger, BATCH), async (id) => {
    // As with every judgement: written down first, and explained by whoever comes to it, also after a crash.
    const change = { state: 'recorded', waitsUntil: undefined, unfinished: true } as const;
    if (await takeSignal(deps.ledger, { id, from: 'waiting' }, change)) await react(deps, id);
  });
}
