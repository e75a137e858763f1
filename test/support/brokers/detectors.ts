/** A broker without HTTP that has the real detectors, and their findings. */
import type { z } from 'zod';
import { signalsSchema } from '../../../src/config/signals-schema.js';
import { openDetectors } from '../../../src/detectors/detectors.js';
import { partySelector } from '../../../src/domain/charge.js';
import type { Signal } from '../../../src/domain/signal.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import { areRemembered, createPartyMemory } from '../../../src/ledger/seen.js';
import { listSignals } from '../../../src/ledger/signals.js';
import type { Store } from '../../../src/store/store.js';
import { handClock, type HandClock } from '../clock.js';
import { until } from '../until.js';
import { proven } from './stubbed.js';
import { lmdbStore, wholeBroker, type WholeBroker } from './use-cases.js';

type Thresholds = NonNullable<z.input<typeof signalsSchema>>['detectors'];

export interface Watched {
  ledger: Ledger;
  detectors: ReturnType<typeof openDetectors>;
  /** Ids of the signals that the detectors handed on to be evaluated. */
  told: string[];
  /** Returns how many subjects the detectors dropped because too many were waiting. */
  dropped: () => number;
}

export function watching(store: Store, clock: HandClock, thresholds: Thresholds = {}): Watched {
  const ledger = { records: store.records, log: openRevocationLog(store.log), clock };
  const told: string[] = [];
  let dropped = 0;
  const detectors = openDetectors({
    ledger,
    detectors: signalsSchema.parse({ detectors: thresholds }).detectors,
    metrics: { signal: () => undefined, detectorDropped: () => void (dropped += 1) },
    onSignal: (id) => void told.push(id),
  });
  return { ledger, detectors, told, dropped: () => dropped };
}

export type WatchedBroker = WholeBroker &
  Watched & {
    findings(): Promise<Pick<Signal, 'event' | 'about' | 'reason'>[]>;
    /** Has each of the parties remembered, as if it had been granted something. */
    remembers(...ids: string[]): Promise<void>;
  };

export async function watchedBroker(
  thresholds: Thresholds = {},
  { clock = handClock(), store, ...over }: Partial<Parameters<typeof wholeBroker>[0]> = {},
): Promise<WatchedBroker> {
  const chosen = store ?? (await lmdbStore(clock));
  const watched = watching(chosen, clock, thresholds);
  const { observer } = watched.detectors;
  const parties = createPartyMemory(watched.ledger);
  const broker = await wholeBroker({ ...over, clock, store: chosen, observer, parties });
  return {
    ...broker,
    ...watched,
    async remembers(...ids) {
      for (const id of ids) parties.granted(proven(id, clock).party);
      const known = () =>
        areRemembered(
          watched.ledger,
          ids.map((id) => partySelector(proven(id, clock).party)),
        );
      await until(async () => !(await known()).includes(false), 'the parties are not remembered');
    },
    async findings() {
      await watched.detectors.run();
      return findingsIn(watched.ledger);
    },
  };
}

export const findingsIn = async (ledger: Ledger): Promise<Pick<Signal, 'event' | 'about' | 'reason'>[]> =>
  (await listSignals(ledger, 'all', { limit: 100 })).map(({ event, about, reason = '' }) => ({ event, about, reason }));
