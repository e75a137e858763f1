/** Connections to Redis. They fail soon and repeat nothing by themselves: the caller decides what is safe to repeat. */
import { Cluster, Redis } from 'ioredis';
import { StoreUnavailable } from '../store.js';

export type Client = Redis | Cluster;

/** What a connection waits for: answers, or (on a connection of its own) replicas. */
type Patience = 'answer' | 'replicas';

const COMMAND_LIMIT_MS = { answer: 500, replicas: 2_000 };

const reconnectAfter = (attempt: number): number => Math.min(attempt * 50, 500);

/** Connects to one node by its URL, or to a cluster by the URLs of some of its nodes. Rejects when it cannot be reached. */
export async function connect(urls: readonly string[], isCluster: boolean, patience: Patience): Promise<Client> {
  const client = isCluster ? clusterOf(urls, patience) : nodeAt(urls, patience);
  // Without a listener ioredis writes to the console. Callers learn of the error by the rejection of their command.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    throw unavailable(error);
  }
}

export const nodesOf = (client: Client): Redis[] => (client instanceof Cluster ? client.nodes('master') : [client]);

/** Returns the error without the command: errors of ioredis carry its arguments, which may be secret. */
export function unavailable(error: unknown): StoreUnavailable {
  const text = error instanceof Error ? error.message : '';
  const [code] = /^[A-Z]{2,}(?= )/.exec(text) ?? [];
  const why = code ?? (text === 'Command timed out' ? 'no answer in time' : 'no connection');
  return new StoreUnavailable(`Redis refused or did not answer (${why})`);
}

const settings = (patience: Patience) => ({
  commandTimeout: COMMAND_LIMIT_MS[patience],
  connectTimeout: 500,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  disableClientInfo: true,
});

function nodeAt([url = '']: readonly string[], patience: Patience): Redis {
  return new Redis(url, {
    ...settings(patience),
    enableOfflineQueue: false,
    lazyConnect: true,
    enableAutoPipelining: patience === 'answer',
    retryStrategy: reconnectAfter,
  });
}

function clusterOf(urls: readonly string[], patience: Patience): Cluster {
  const nodes = urls.map((url) => new URL(url));
  const [first] = nodes;
  return new Cluster(
    nodes.map(({ hostname, port }) => ({ host: hostname, port: Number(port || 6379) })),
    {
      lazyConnect: true,
      enableAutoPipelining: patience === 'answer',
      // Otherwise a commit whose answer was lost is sent again, and seems refused although it was done.
      retryDelayOnFailover: 0,
      clusterRetryStrategy: reconnectAfter,
      redisOptions: {
        ...settings(patience),
        ...(first?.username && { username: decodeURIComponent(first.username) }),
        ...(first?.password && { password: decodeURIComponent(first.password) }),
        ...(first?.protocol === 'rediss:' && { tls: {} }),
      },
    },
  );
}
