/** Shows signals as they stand now: one by id, or pages by subject, state, source and reaction. */
import type { Permitted } from '../authorization/permission.js';
import { BrokerError } from '../domain/errors.js';
import { HISTORY_MS } from '../domain/limits.js';
import type { Signal } from '../domain/signal.js';
import type { Ledger } from '../ledger/ledger.js';
import { listSignals, readSignal } from '../ledger/signals.js';

/** Where a page ended: when its last signal was received, and that signal's id. */
export type SignalPlace = [receivedAt: number, id: string];

export interface SignalFilter {
  /** The value of a selector, or `kind:value`. */
  subject?: string;
  state?: Signal['state'];
  source?: string;
  /** The name of the reaction that was taken, or would have been. */
  reaction?: string;
}

interface PageOf {
  after?: SignalPlace;
  limit: number;
}

interface SignalPage {
  signals: Signal[];
  /**
   * The cursor of the next page; absent on the last page. A page may be shorter than its limit, or empty, and not be the
   * last.
   */
  next?: SignalPlace;
}

/** How many signals one answer reads at most, whatever the filter. */
const LOOKED_AT_MOST = 5_000;
const PAGE = 500;

export async function showSignal(ledger: Ledger, _: Permitted<'readRevocations'>, signalId: string): Promise<Signal> {
  const stored = await readSignal(ledger, signalId);
  if (!stored) throw unknownSignal();
  return stored.value;
}

export async function showSignals(
  ledger: Ledger,
  _: Permitted<'readRevocations'>,
  filter: SignalFilter,
  { after, limit }: PageOf,
): Promise<SignalPage> {
  // Pending signals have a short index of their own, whatever their age.
  const which = filter.state === 'pending' ? 'pending' : 'all';
  const earliest = which === 'all' ? Math.max(0, ledger.clock.now() - HISTORY_MS) : 0;
  const found: Signal[] = [];
  // Older signals only wait to be pruned. Reading them could yield an empty page that looks like the end.
  let place: SignalPlace = after ?? [earliest, ''];
  for (let looked = 0; looked < LOOKED_AT_MOST; looked += PAGE) {
    const page = await listSignals(ledger, which, { after: place, limit: PAGE });
    for (const signal of page) {
      place = [signal.receivedAt, signal.id];
      if (matches(signal, filter)) found.push(signal);
      if (found.length === limit) return { signals: found, next: place };
    }
    if (page.length === 0) return { signals: found };
  }
  return { signals: found, next: place };
}

const matches = ({ about, reaction, state, source }: Signal, filter: SignalFilter): boolean =>
  (filter.state === undefined || filter.state === state) &&
  (filter.source === undefined || filter.source === source) &&
  (filter.reaction === undefined || filter.reaction === reaction?.rule) &&
  (filter.subject === undefined ||
    [...about, ...(reaction?.selector ? [reaction.selector] : [])].some(
      ({ kind, value }) => filter.subject === value || filter.subject === `${kind}:${value}`,
    ));

export const unknownSignal = () => new BrokerError('not_found', 'There is no signal with that id.');
