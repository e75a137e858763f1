/** The signals of one broker: who may send them, and the queue that reacts to them. */
import type { AuditLog } from '../audit/log.js';
import type { LoadedConfig } from '../config/load.js';
import { NO_REACTION } from '../domain/reserved.js';
import { createTransmitters, type Transmitters } from '../identity/transmitters.js';
import type { Ledger } from '../ledger/ledger.js';
import type { ProxyFor } from '../outbound/proxy.js';
import { createSignalQueue, type SignalQueue } from '../signals/signal-queue.js';
import type { Logger } from '../telemetry/log.js';
import type { Metrics } from '../telemetry/metrics.js';
import { assertWithin } from './rate.js';

interface SignalsSetup {
  loaded: { config: Pick<LoadedConfig['config'], 'lifetimes' | 'signals' | 'trust'>; directory: string };
  ledger: Ledger;
  audit: AuditLog;
  metrics: Metrics;
  log: Logger;
  proxyFor: ProxyFor;
}

interface Signals {
  transmitters: Transmitters;
  /** Throws `slow_down` when a transmitter sends too much. */
  assertWithinSignalRate: (transmitter: string) => Promise<void>;
  queue: SignalQueue;
}

export function openSignals({ loaded, ledger, audit, metrics, log, proxyFor }: SignalsSetup): Signals {
  const { lifetimes, signals, trust } = loaded.config;
  const { clock } = ledger;
  const limits = new Map(
    signals.transmitters.map(({ name, perMinute }) => [
      name,
      assertWithin({ perMinute, refusal: `A transmitter may send ${perMinute} signals a minute.` }),
    ]),
  );
  return {
    transmitters: createTransmitters({
      transmitters: signals.transmitters,
      clock,
      clockSkewSeconds: lifetimes.clockSkew,
      baseDirectory: loaded.directory,
      proxyFor,
    }),
    assertWithinSignalRate: async (name) => limits.get(name)?.(name),
    queue: createSignalQueue(
      { ledger, audit, settings: { trust, signals } },
      {
        reacted({ reaction, state, receivedAt }) {
          const seconds = Math.max(0, clock.unchecked() - receivedAt) / 1000;
          metrics.signalEvaluated(reaction?.rule ?? NO_REACTION, state, seconds);
        },
        failed: (err) => log.warn({ err }, 'a signal waits for its reaction'),
      },
    ),
  };
}
