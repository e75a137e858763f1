/** The store on Redis or Redis Cluster. */
import type { SystemClock } from '../../domain/time.js';
import { StoreUnavailable, type Store, type StoreHealth } from '../store.js';
import { connect, nodesOf, type Client } from './client.js';
import { factsOf, keepsEverything, problemsOf, unusable, usedFractionOf } from './inspect.js';
import { keysUnder } from './keys.js';
import { redisLog } from './log.js';
import { redisRecords } from './records.js';
import { asked } from './script.js';

export interface RedisStoreOptions {
  /** The URL of a single primary. */
  url?: string;
  /** Or the URLs of some nodes of a cluster. */
  nodes?: readonly string[];
  prefix: string;
  replicas: number;
  onRestart: 'replace' | 'trust';
  clock: SystemClock;
}

/** Rejects when Redis cannot be reached or must not be used (it evicts keys, is a replica, or is too old). */
export async function openRedis({ url, nodes, prefix, replicas, onRestart, clock }: RedisStoreOptions): Promise<Store> {
  const urls = nodes ?? (url === undefined ? [] : [url]);
  const client = await connect(urls, nodes !== undefined, 'answer');
  const clients: Client[] = [client];
  try {
    for (const node of nodesOf(client)) {
      const reason = unusable(await factsOf(node));
      if (reason !== undefined) throw new Error(reason);
    }
    const patient = replicas === 0 ? client : await connect(urls, nodes !== undefined, 'replicas');
    clients.push(patient);
    const keys = keysUnder(prefix);
    const restartedWhole = async () => onRestart === 'trust' && !nodes && replicas === 0 && allKeepEverything(client);
    return {
      records: redisRecords(client, keys, clock),
      log: redisLog(client, keys, { replicas, patient, restartedWhole }),
      health: () => healthOf(client, replicas),
      close: () => close(clients),
    };
  } catch (error) {
    await close(clients);
    throw error;
  }
}

async function allKeepEverything(client: Client): Promise<boolean> {
  const stored = await Promise.all(nodesOf(client).map(keepsEverything));
  return stored.every(Boolean);
}

async function healthOf(client: Client, replicas: number): Promise<StoreHealth> {
  const nodes = await Promise.all(
    nodesOf(client).map(async (node) => {
      const [facts, [seconds, microseconds]] = await Promise.all([factsOf(node), asked(node.time())]);
      return {
        clock: Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000),
        usedFraction: usedFractionOf(facts),
        problems: await problemsOf(node, facts, replicas),
      };
    }),
  );
  const [first] = nodes;
  if (!first) throw new StoreUnavailable('no node of the Redis Cluster is known');
  return {
    clock: first.clock,
    usedFraction: Math.max(...nodes.map(({ usedFraction }) => usedFraction)),
    problems: [...new Set(nodes.flatMap(({ problems }) => problems))],
  };
}

function close(clients: readonly Client[]): Promise<void> {
  for (const client of new Set(clients)) client.disconnect();
  return Promise.resolve();
}
