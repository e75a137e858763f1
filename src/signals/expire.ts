/** Signals that wait for another voice, or for a person, and nobody came in time: nothing comes of them. */
import { defined } from '../domain/defined.js';
import type { Signal } from '../domain/signal.js';
import { eachSettled } from '../ledger/each-settled.js';
import { takeSignal, waitedInVain } from '../ledger/signals.js';
import { react, type ReactDeps } from './react.js';

/** Of a shard at a time: the rest has its turn soon. */
const BATCH = 100;

export async function giveUpWaiting(deps: ReactDeps): Promise<void> {
  const { waiting, pending } = await waitedInVain(deps.ledger, BATCH);
  await eachSettled(waiting, (id) => giveUp(deps, id, 'waiting', 'No other word of it led to the reaction in time.'));
  await eachSettled(pending, (id) => giveUp(deps, id, 'pending', 'Nobody has confirmed it within a day.'));
}

/** As with every judgement: written down first, and explained by whoever comes to it, also after a crash. */
async function giveUp(deps: ReactDeps, id: string, from: Signal['state'], because: string): Promise<void> {
  const taken = await takeSignal(deps.ledger, { id, from }, ({ reaction }) =>
    defined({
      state: 'recorded',
      waitsUntil: undefined,
      unfinished: true,
      reaction: reaction && { ...reaction, because },
    }),
  );
  if (taken) await react(deps, id);
}
