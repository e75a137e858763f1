/** Connections to Redis. They fail soon and repeat nothing by themselves: the caller decides what is safe to repeat. */
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Cluster, Redis } from 'ioredis';
import { defined } from '../../domain/defined.js';
import { StoreUnavailable } from '../store.js';
import { trouble, type Attempt } from './trouble.js';

export type Client = Redis | Cluster;

/** Where Redis is. */
export type RedisPlace =
  /** The URL of a single primary. */
  | { url: string }
  /** The URLs of some nodes of a Cluster. */
  | { nodes: readonly string[] }
  /** The addresses (`host:port`) of Sentinels, and what they call the primary. */
  | { sentinels: readonly string[]; name: string; tls: boolean };

/** Who connects. The URL of a node may say so too, and is asked first. */
export interface RedisAccess {
  username?: string;
  password?: string;
  /** For the Sentinels, which have users of their own. */
  sentinelUsername?: string;
  sentinelPassword?: string;
  /** A file of PEM certificates to trust in place of the system's. */
  ca?: string;
}

interface Connection {
  client: Client;
  /** Returns why there is no connection now; undefined while there is one, or nobody knows yet. */
  trouble: () => string | undefined;
}

/** What a connection waits for: an answer at once, or (on a connection of its own) replicas, or the next revocation. */
type Patience = 'answer' | 'patient';

const COMMAND_LIMIT_MS = { answer: 500, patient: 2_000 };
const LEAVE_AGAIN_MS = 1_000;
const ERRORS_KEPT = 16;
const DEFAULT_PORT = 6379;

const reconnectAfter = (attempt: number): number => Math.min(attempt * 50, 500);

/** Rejects when Redis cannot be reached, and says why. */
export async function connect(place: RedisPlace, access: RedisAccess, patience: Patience): Promise<Connection> {
  const attempt = attemptOf(place, access);
  const client = clientFor(place, optionsFor(attempt, access, patience), access);
  const met = errorsOf(client);
  const failed = new Promise<never>((_, reject) => client.once('error', reject));
  failed.catch(() => undefined);
  try {
    await Promise.race([client.connect(), failed]);
  } catch (error) {
    client.disconnect();
    throw new StoreUnavailable(trouble(attempt, [...met(), error]));
  }
  const isAway = () => client.status !== 'ready' && met().length > 0;
  return { client, trouble: () => (isAway() ? trouble(attempt, met()) : undefined) };
}

export const nodesOf = (client: Client): Redis[] => (client instanceof Cluster ? client.nodes('master') : [client]);

const FORBIDDEN = /permissions to run the '([\w|]+)' command|can't run this command/;

/** Returns the error without the command: errors of ioredis carry its arguments, which may be secret. */
export function unavailable(error: unknown): StoreUnavailable {
  const text = error instanceof Error ? error.message : '';
  const [code] = /^[A-Z]{2,}(?= )/.exec(text) ?? [];
  const forbidden = FORBIDDEN.exec(text);
  if (forbidden) {
    // Redis 7.0 does not say which command of a script it was.
    const command = forbidden[1] ?? 'a command of a script (ACL LOG on the server names it)';
    return new StoreUnavailable(`the user of Redis may not run ${command}: docs/operations.md lists the rights`);
  }
  const why = code ?? (text === 'Command timed out' ? 'no answer in time' : 'no connection');
  const meaning = code !== undefined && MEANINGS.has(code) ? `: ${MEANINGS.get(code)}` : '';
  return new StoreUnavailable(`Redis refused or did not answer (${why}${meaning})`);
}

/** What an operator must know, by the codes that Redis answers a write with. */
const MEANINGS = new Map([
  ['MISCONF', 'it cannot write to its disk, which may be full'],
  ['OOM', 'its memory is full'],
  ['READONLY', 'it is a replica'],
  ['NOREPLICAS', 'too few replicas are connected'],
]);

/** Returns what the latest attempt to connect has met. Without a listener ioredis would write errors to the console. */
function errorsOf(client: Client): () => unknown[] {
  let met: unknown[] = [];
  let isNewAttempt = false;
  const note = (error: unknown) => {
    if (isNewAttempt) met = [];
    isNewAttempt = false;
    if (met.length < ERRORS_KEPT) met.push(error);
  };
  client.on('connecting', () => void (isNewAttempt = true));
  client.on('error', note);
  client.on('sentinelError', note);
  return () => met;
}

function attemptOf(place: RedisPlace, { username, password, ca }: RedisAccess): Attempt {
  const urls = urlsOf(place).map((url) => new URL(url));
  const [first] = urls;
  const named = first?.username ? decodeURIComponent(first.username) : username;
  const hosts = urls.map(({ hostname, port }) => `${hostname}:${port || DEFAULT_PORT}`).join(', ');
  return {
    where: whereOf(place, hosts),
    tls: 'sentinels' in place ? place.tls : first?.protocol === 'rediss:',
    username: named,
    hasPassword: Boolean(first?.password) || password !== undefined,
    hasAuthority: ca !== undefined,
  };
}

const urlsOf = (place: RedisPlace): readonly string[] =>
  'url' in place ? [place.url] : 'nodes' in place ? place.nodes : [];

function whereOf(place: RedisPlace, hosts: string): string {
  if ('sentinels' in place) return `The Redis named ${place.name}, by the Sentinels at ${place.sentinels.join(', ')}`;
  return 'url' in place ? `Redis at ${hosts}` : `The Redis Cluster at ${hosts}`;
}

type NodeOptions = ReturnType<typeof optionsFor>;

/** Returns the options that each connection to a node has. */
function optionsFor({ tls }: Attempt, { username, password, ca }: RedisAccess, patience: Patience) {
  if (ca !== undefined && !tls)
    throw new Error(
      'redis.ca is set, but Redis is asked without TLS: write rediss:// in store or REDIS_URL, or with Sentinel store.tls: true',
    );
  const trusted: ConnectionOptions = ca === undefined ? {} : { ca: authorities(ca) };
  return defined({
    username,
    password,
    tls: tls ? trusted : undefined,
    commandTimeout: COMMAND_LIMIT_MS[patience],
    // A host that vanished closes no connection. Without this, commands would wait for TCP to give up, a quarter of an hour.
    socketTimeout: COMMAND_LIMIT_MS[patience] * 2,
    connectTimeout: 500,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    disableClientInfo: true,
    lazyConnect: true,
    enableAutoPipelining: patience === 'answer',
  });
}

function authorities(file: string): string {
  const text = readFileSync(file, 'utf8');
  // Node takes an empty text for none, and would trust every certificate authority of the system.
  if (text.trim() === '') throw new Error('The file of redis.ca is empty.');
  return text;
}

function clientFor(place: RedisPlace, options: NodeOptions, access: RedisAccess): Client {
  if ('nodes' in place) return clusterOf(place.nodes, options);
  const single = {
    ...options,
    enableOfflineQueue: false,
    retryStrategy: reconnectAfter,
    reconnectOnError: refusalOfReplica(),
  };
  return 'url' in place
    ? new Redis(place.url, single)
    : new Redis({ ...single, ...sentinelOptions(place, access, options) });
}

function sentinelOptions(
  { sentinels, name, tls }: Extract<RedisPlace, { name: string }>,
  { sentinelUsername, sentinelPassword }: RedisAccess,
  options: NodeOptions,
) {
  return defined({
    sentinels: sentinels.map((address) => {
      const { hostname, port } = new URL(`redis://${address}`);
      return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
    }),
    name,
    sentinelUsername,
    sentinelPassword,
    enableTLSForSentinelMode: tls,
    sentinelTLS: options.tls,
    sentinelCommandTimeout: COMMAND_LIMIT_MS.answer,
    // Without a pause to come, ioredis would give up for ever when no Sentinel answers once.
    sentinelRetryStrategy: reconnectAfter,
  });
}

function clusterOf(urls: readonly string[], { lazyConnect, enableAutoPipelining, ...options }: NodeOptions): Cluster {
  const nodes = urls.map((url) => new URL(url));
  const [first] = nodes;
  return new Cluster(
    nodes.map(({ hostname, port }) => ({ host: hostname, port: Number(port || DEFAULT_PORT) })),
    {
      ...defined({ lazyConnect, enableAutoPipelining }),
      // Otherwise a commit whose answer was lost is sent again, and seems refused although it was done.
      retryDelayOnFailover: 0,
      clusterRetryStrategy: reconnectAfter,
      redisOptions: {
        ...options,
        ...(first?.username && { username: decodeURIComponent(first.username) }),
        ...(first?.password && { password: decodeURIComponent(first.password) }),
      },
    },
  );
}

/**
 * Returns whether to connect anew after an error: a node that became a replica keeps its connections open, while the address
 * or the Sentinels already name another primary. Once a second is enough where they still lead to a replica.
 */
function refusalOfReplica(): (error: Error) => boolean {
  let left = -Infinity;
  return ({ message }) => {
    if (!message.startsWith('READONLY') || performance.now() - left < LEAVE_AGAIN_MS) return false;
    left = performance.now();
    return true;
  };
}
