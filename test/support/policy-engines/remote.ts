/** Policy engines outside the broker, as the broker makes them, for tests. */
import type { PolicySilence } from '../../../src/domain/policy-outcome.js';
import { noProxy } from '../../../src/outbound/proxy.js';
import type { PolicyEngine } from '../../../src/policy/policy-engine.js';
import { authzen } from '../../../src/policy/remote/authzen.js';
import { opa } from '../../../src/policy/remote/opa.js';
import { createRemoteEngine } from '../../../src/policy/remote/remote.js';
import type { PolicyTarget } from '../../../src/policy/cedar/fit.js';
import { handClock, type HandClock } from '../clock.js';
import { ticketsTarget } from '../policy.js';

export interface RemoteWish {
  targets?: readonly PolicyTarget[];
  patterns?: 'refuse' | 'ask';
  actions?: readonly string[];
  timeoutMs?: number;
  ca?: string;
  bearerFile?: string;
  clock?: HandClock;
  /** Is told why questions were not answered. */
  unanswered?: PolicySilence[];
}

const reach = ({ timeoutMs = 60_000, ca, bearerFile }: RemoteWish) => ({
  timeoutMs,
  ca,
  bearerFile,
  proxyFor: noProxy,
});

export const opaEngine = (url: string, path: string, wish: RemoteWish = {}): Promise<PolicyEngine> =>
  engineAt(opa({ url, path, ...reach(wish) }), wish);

export const authzenEngine = (url: string, wish: RemoteWish = {}): Promise<PolicyEngine> =>
  engineAt(authzen({ url, ...reach(wish) }), wish);

function engineAt(point: Parameters<typeof createRemoteEngine>[0]['point'], wish: RemoteWish): Promise<PolicyEngine> {
  const { targets = [ticketsTarget()], patterns = 'ask', clock = handClock(), unanswered = [] } = wish;
  const { timeoutMs } = reach(wish);
  return createRemoteEngine({
    point,
    targets,
    patterns,
    timeoutMs,
    actions: wish.actions ?? ['read', 'write', 'execute', 'export'],
    elapsed: () => clock.now(),
    onUnanswered: (reason) => void unanswered.push(reason),
  });
}
