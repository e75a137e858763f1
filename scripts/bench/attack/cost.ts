/** The CPU time that the broker spends on one request of a kind. */
import { Agent } from 'node:http';
import type { Broker } from '../broker.js';
import { cpuMicroseconds } from '../child.js';
import { many } from '../issuer.js';
import { post } from '../load.js';
import { quantile } from '../numbers.js';
import type { Kind } from './requests.js';

export interface Cost {
  kind: Kind;
  cpuMs: number;
  p50Ms: number;
  /** How often each status was answered. */
  statuses: Map<number, number>;
}

/** Few connections: CPU time is sought, and a queue would only make answers late. */
const CONNECTIONS = 4;
/** A quarter of the requests warm up the code. */
const WARM_UP_SHARE = 0.25;

export async function costOf({ url, pid }: Broker, kind: Kind, requests: number): Promise<Cost> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const send = async (index: number) => {
    const { path, headers, body } = kind.request(index);
    const from = performance.now();
    const { status = 0 } = await post(`${url}${path}`, { agent, headers, body });
    return { status, ms: performance.now() - from };
  };
  const warmUp = Math.ceil(requests * WARM_UP_SHARE);
  await many(warmUp, send, CONNECTIONS);
  const from = cpuMicroseconds(pid);
  const answers = await many(requests, (index) => send(warmUp + index), CONNECTIONS);
  const cpuMs = (cpuMicroseconds(pid) - from) / requests / 1000;
  agent.destroy();
  const statuses = new Map<number, number>();
  for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const latencies = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  return { kind, cpuMs, p50Ms: quantile(latencies, 0.5), statuses };
}
