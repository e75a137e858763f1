/**
 * A verifier says what it has applied, so that the time from a revocation to its denial is measured where it counts. It may be
 * said at any broker. Nobody can have applied what was never sent, so that is refused.
 */
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Follower } from './follow.js';
import type { Line } from './line.js';
import type { Progress } from './stream.js';
import type { Witness } from './witness.js';

export interface Acknowledgement {
  verifier: string;
  instance?: string;
  /** `wait`: it waited for the end of one credential. It was sent no entries, and the broker has found this one itself. */
  by?: 'wait';
  generation: string;
  /** `waitedMs`: how long before this request was sent the entry was applied, by the clock of the verifier. */
  applied: readonly { seq: number; waitedMs: number }[];
}

interface AcknowledgeDeps {
  clock: Ledger['clock'];
  follower: Pick<Follower, 'line' | 'look'>;
  witness: Pick<Witness, 'note'>;
  subscribers: Iterable<{ party: string; instance?: string; progress: Progress }>;
  /**
   * @param verifier its party; `waiting`: of all that wait for the end of a credential
   * @param seconds From the publication until the verifier denied, at most.
   */
  onKnown: (verifier: string, seconds: number) => void;
}

/**
 * Whoever holds a credential may wait for its end, without any permit: what it says must neither make the figures of a verifier, nor
 * take the label of one. No party has this name, because that of each begins with its trust and a colon.
 */
const WAITING = 'waiting';

/** Returns how many of the entries were measured: not those that are no longer kept here. */
export async function acknowledge(deps: AcknowledgeDeps, ack: Acknowledgement): Promise<number> {
  const now = deps.clock.now();
  const latest = Math.max(...ack.applied.map(({ seq }) => seq));
  const isHere = (line: Line | undefined) => line?.generation === ack.generation && line.head() >= latest;
  // Another broker may have sent an entry a moment before this one has heard of it.
  if (!isHere(deps.follower.line())) await deps.follower.look();
  const line = deps.follower.line();
  if (line?.generation !== ack.generation)
    throw new BrokerError('conflict', 'The log has another generation: what was applied of this one counts no more.');
  if (latest > sentUpTo(deps.subscribers, ack, line))
    throw new BrokerError('invalid_request', 'An entry that was never sent cannot be acknowledged.');
  const { verifier, instance, by } = ack;
  const known = ack.applied.flatMap(({ seq, waitedMs }) => {
    const entry = line.published(seq);
    // A moment before the publication, or one to come, would be the mistake of some clock.
    return entry ? [{ entry, knewAt: Math.max(entry.at, now - waitedMs) }] : [];
  });
  for (const { entry, knewAt } of known) {
    deps.onKnown(by === 'wait' ? WAITING : verifier, (knewAt - entry.at) / 1000);
    if (entry.hasReceipt) deps.witness.note(entry, [defined({ verifier, instance, by, knewAt })]);
  }
  return known.length;
}

/** Returns the last number that can have been applied: what its streams here were sent, or else the end of the log. */
function sentUpTo(
  subscribers: AcknowledgeDeps['subscribers'],
  { verifier, instance, by }: Acknowledgement,
  line: Line,
): number {
  if (by === 'wait') return line.head();
  const own = [...subscribers].filter((one) => one.party === verifier && one.instance === instance);
  if (own.length === 0) return line.head();
  return Math.max(...own.map(({ progress: { place } }) => (place?.line === line ? place.seq : 0)));
}
