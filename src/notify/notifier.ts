/** Webhooks, each at its own pace: one that hangs holds up no other. */
import type { Webhook } from '../config/signals-schema.js';
import type { Metrics } from '../telemetry/metrics.js';
import { deliverNews, type NotifyDeps } from './deliver.js';
import { holdWebhook, letGoWebhook } from './hold-webhook.js';

export interface Notifier {
  /** Webhooks that are new are told what happens from here on. */
  begin(): Promise<void>;
  /** A turn of each webhook that has none running; resolves when these have ended. */
  turn(): Promise<void>;
  /** Webhooks that have been behind for long, and how many seconds. */
  behind: ReadonlyMap<string, number>;
  /** Waits for what runs; at the end of a process, so that the next one need not wait. */
  close(): Promise<void>;
}

/** A receiver that is being deployed anew is no trouble yet. */
const LONG_MS = 300_000;

export function createNotifier(
  deps: NotifyDeps & { metrics: Pick<Metrics, 'webhookLag'> },
  webhooks: readonly Webhook[],
): Notifier {
  const running = new Map<string, Promise<void>>();
  const behind = new Map<string, number>();

  async function run(webhook: Webhook): Promise<void> {
    const { name } = webhook;
    const waitedMs = await deliverNews(deps, webhook);
    deps.metrics.webhookLag(name, waitedMs / 1000);
    if (waitedMs >= LONG_MS) behind.set(name, Math.round(waitedMs / 1000));
    else behind.delete(name);
  }

  return {
    behind,
    async begin() {
      await Promise.all(webhooks.map(({ name }) => holdWebhook(deps, name)));
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
      await Promise.all(webhooks.map(({ name }) => letGoWebhook(deps, name)));
    },
  };
}
