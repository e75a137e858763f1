/** The store on Redis or Redis Cluster. */
import type { SystemClock } from '../../domain/time.js';
import { StoreUnavailable, type Store, type StoreHealth } from '../store.js';
import { connect, nodesOf, type Client, type RedisAccess, type RedisPlace } from './client.js';
import { factsOf, isReplica, keepsEverything, keptProblems, problemsOf, unusable, usedFractionOf } from './inspect.js';
import { keysUnder } from './keys.js';
import { redisLog } from './log.js';
import { redisRecords } from './records.js';
import { replicatedBy } from './replicas.js';
import { asked, readScript, run, script } from './script.js';

export interface RedisStoreOptions {
  place: RedisPlace;
  access?: RedisAccess;
  prefix: string;
  replicas: number;
  onRestart: 'replace' | 'trust';
  onFailover: 'replace' | 'keep';
  clock: SystemClock;
  /** How far the clocks of brokers and servers may differ. */
  skewMs: number;
}

/** Rejects when Redis cannot be reached or must not be used (it evicts keys, is a replica, or is too old). */
export async function openRedis(options: RedisStoreOptions): Promise<Store> {
  const { place, access = {}, prefix, replicas, onRestart, clock, skewMs } = options;
  const promotable = options.onFailover === 'keep' ? replicas : 0;
  const { client, trouble } = await connect(place, access, 'answer');
  const clients: Client[] = [client];
  try {
    for (const node of nodesOf(client)) {
      const reason = unusable(await factsOf(node));
      if (reason !== undefined) throw new Error(reason);
    }
    const another = async () => {
      const { client: further } = await connect(place, access, 'patient');
      clients.push(further);
      // It is seldom used, or only reads: it would not learn in time that its node is no longer the primary.
      client.on('close', () => {
        // Where it has ended, ioredis would hold the process for two seconds, to destroy a connection that is gone.
        if (further.status !== 'end') further.disconnect(true);
      });
      return further;
    };
    const [patient, waiting] = [replicas === 0 ? client : await another(), await another()];
    const keys = keysUnder(prefix);
    const mayTrust = onRestart === 'trust' && 'url' in place && replicas === 0;
    const restartedWhole = async () => mayTrust && (await allKeepEverything(client));
    const replicated = replicatedBy({ replicas, patient });
    const stamp = async () => Number(await run(client, stamping, [keys.head], [promotable, clock.reading(), skewMs]));
    return {
      records: redisRecords(client, keys, clock, replicated),
      log: redisLog(client, keys, { waiting, replicated, restartedWhole, promotable, clock, skewMs }),
      health: () =>
        healthOf(client, { replicas, promotable, stamp }).catch((error: unknown) => {
          throw awayBecause(trouble()) ?? error;
        }),
      close: () => close(clients),
    };
  } catch (error) {
    await close(clients);
    throw error;
  }
}

const stamping = script(readScript('stamp'));

/** While there is no connection, each command only says so. The connection knows the cause. */
const awayBecause = (why: string | undefined): StoreUnavailable | undefined =>
  why === undefined ? undefined : new StoreUnavailable(why);

async function allKeepEverything(client: Client): Promise<boolean> {
  const stored = await Promise.all(nodesOf(client).map(keepsEverything));
  return stored.every(Boolean);
}

interface Expected {
  replicas: number;
  /** How many replicas can be promoted, where a failover keeps what lives; otherwise 0. */
  promotable: number;
  /** Returns for how many replicas the log is kept. */
  stamp: () => Promise<number>;
}

async function healthOf(client: Client, { replicas, promotable, stamp }: Expected): Promise<StoreHealth> {
  const nodes = await Promise.all(
    nodesOf(client).map(async (node) => {
      const [facts, [seconds, microseconds]] = await Promise.all([factsOf(node), asked(node.time())]);
      return {
        clock: Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000),
        usedFraction: usedFractionOf(facts),
        problems: await problemsOf(node, facts, { replicas, promotable }),
        isReplica: isReplica(facts),
      };
    }),
  );
  const [first] = nodes;
  if (!first) throw new StoreUnavailable('no node of the Redis Cluster is known');
  const isReplicaAnywhere = nodes.some(({ isReplica }) => isReplica);
  // A Redis that refuses writes, and so the stamp, still says what is wrong with it.
  const others = isReplicaAnywhere ? [] : keptProblems(await stamp().catch(() => 0), replicas);
  return {
    clock: first.clock,
    usedFraction: Math.max(...nodes.map(({ usedFraction }) => usedFraction)),
    problems: [...new Set(nodes.flatMap(({ problems }) => problems)), ...others],
    isReplica: isReplicaAnywhere,
  };
}

function close(clients: readonly Client[]): Promise<void> {
  for (const client of new Set(clients)) client.disconnect();
  return Promise.resolve();
}
