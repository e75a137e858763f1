/** Delivers to webhooks, to each at its own pace: one that hangs delays no other. */
import type { Webhook } from '../config/signals-schema.js';
import type { Metrics } from '../telemetry/metrics.js';
import { deliverTurn, type NotifyDeps } from './deliver.js';
import { releaseLease, takeLease } from './lease.js';

export interface Notifier {
  /** Registers new webhooks: they get the events from now on. */
  begin(): Promise<void>;
  /** Starts a turn of each webhook that has none running, and resolves when these turns have ended. */
  turn(): Promise<void>;
  /** The webhooks that have been behind for five minutes or more, and by how many seconds. */
  behind: ReadonlyMap<string, number>;
  /** Waits for running turns, and gives up all leases, so that the next broker need not wait. */
  close(): Promise<void>;
}

/** A shorter delay is no problem yet: the receiver may just be deployed. */
const LONG_MS = 300_000;

export function createNotifier(
  deps: NotifyDeps & { metrics: Pick<Metrics, 'webhookLag'> },
  webhooks: readonly Webhook[],
): Notifier {
  const running = new Map<string, Promise<void>>();
  const behind = new Map<string, number>();

  async function run(webhook: Webhook): Promise<void> {
    const { name } = webhook;
    const waitedMs = await deliverTurn(deps, webhook);
    deps.metrics.webhookLag(name, waitedMs / 1000);
    if (waitedMs >= LONG_MS) behind.set(name, Math.round(waitedMs / 1000));
    else behind.delete(name);
  }

  return {
    behind,
    async begin() {
      await Promise.all(webhooks.map(({ name }) => takeLease(deps, name)));
    },
    async turn() {
      const begun = webhooks
        .filter(({ name }) => !running.has(name))
        .map((webhook) => {
          const turn = run(webhook).finally(() => running.delete(webhook.name));
          running.set(webhook.name, turn);
          return turn;
        });
      await Promise.all(begun);
    },
    async close() {
      await Promise.allSettled(running.values());
      await Promise.all(webhooks.map(({ name }) => releaseLease(deps, name)));
    },
  };
}
