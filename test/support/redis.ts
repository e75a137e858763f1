/**
 * Real Redis servers for tests: private, on free loopback ports, in directories of their own, ended when the tests of the
 * file are over.
 * Needs `redis-server` in the path. Tests that need nothing special of a server take TEST_REDIS_URL when it is set.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll } from '@jest/globals';
import { Redis } from 'ioredis';
import { temporaryDirectory } from './directory.js';

/** As in redis.conf, for instance `{ appendonly: 'yes' }`. */
export type Settings = Record<string, string>;

export interface RedisServer {
  url: string;
  port: number;
  pid: () => number;
  /** Sends one command on a connection of its own. */
  send: (command: string, ...args: (string | number)[]) => Promise<unknown>;
  signal: (name: NodeJS.Signals) => void;
  /** Ends it as SIGKILL does: nothing is saved. */
  kill: () => Promise<void>;
  /** Ends it as an operator does: what is configured to be saved is saved. */
  stop: () => Promise<void>;
  /** Starts it again, on the same port and directory. */
  start: () => Promise<void>;
}

// Saves as far as the store can see, and never does: what a test wants on disk it asks for.
const DEFAULTS: Settings = { save: '3600 100000000', appendonly: 'no', bind: '127.0.0.1', 'protected-mode': 'yes' };

const started = new Set<ChildProcess>();
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

export async function startRedis(settings: Settings = {}): Promise<RedisServer> {
  const [port, directory] = [await freePort(), temporaryDirectory()];
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  const end = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await ended;
  };
  const start = async () => {
    child = spawn('redis-server', argumentsOf({ ...DEFAULTS, ...settings, port: String(port), dir: directory }), {
      stdio: 'ignore',
    });
    started.add(child);
    await answers(url, child);
  };
  await start();
  return {
    url,
    port,
    pid: () => child?.pid ?? 0,
    send: (command, ...args) => send(url, command, ...args),
    signal: (name) => void child?.kill(name),
    kill: () => end('SIGKILL'),
    start,
    stop: () => end('SIGTERM'),
  };
}

export interface RedisCluster {
  nodes: RedisServer[];
  urls: string[];
}

/** Three primaries without replicas that share the slots. */
export async function startCluster(): Promise<RedisCluster> {
  const buses = [await freePort(), await freePort(), await freePort()];
  const nodes = await Promise.all(
    buses.map((bus) => startRedis({ 'cluster-enabled': 'yes', 'cluster-port': String(bus) })),
  );
  const slots = [0, 5461, 10922, 16384];
  for (const [i, node] of nodes.entries()) {
    await node.send('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
    await node.send('CLUSTER', 'ADDSLOTSRANGE', slots[i]!, slots[i + 1]! - 1);
  }
  for (const [i, node] of nodes.entries()) {
    await nodes[0]!.send('CLUSTER', 'MEET', '127.0.0.1', node.port, buses[i]!);
  }
  const agrees = async (node: RedisServer) => {
    const text = String(await node.send('CLUSTER', 'INFO'));
    return text.includes('cluster_state:ok') && text.includes('cluster_known_nodes:3');
  };
  await until(async () => (await Promise.all(nodes.map(agrees))).every(Boolean), 'the cluster did not form');
  return { nodes, urls: nodes.map(({ url }) => url) };
}

/** The URL of a server for tests that need nothing special, theirs alone by the prefix they use. */
export async function anyRedis(): Promise<string> {
  return process.env['TEST_REDIS_URL'] ?? (await startRedis()).url;
}

/** Waits for a condition, at most ten seconds. */
export async function until(condition: () => boolean | Promise<boolean>, otherwise: string): Promise<void> {
  const patience = AbortSignal.timeout(10_000);
  while (!(await condition())) {
    if (patience.aborted) throw new Error(otherwise);
    await pause(10);
  }
}

async function answers(url: string, child: ChildProcess): Promise<void> {
  const failed = once(child, 'error').then(([error]) => {
    throw new Error('redis-server could not be started: is it installed?', { cause: error });
  });
  const pinged = until(async () => {
    if (child.exitCode !== null) throw new Error('redis-server ended as soon as it was started');
    return (await send(url, 'PING').catch(() => 'not yet')) === 'PONG';
  }, 'redis-server does not answer');
  await Promise.race([failed, pinged]);
}

async function send(url: string, command: string, ...args: (string | number)[]): Promise<unknown> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.call(command, ...args);
  } finally {
    client.disconnect();
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

const argumentsOf = (settings: Settings): string[] =>
  Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...(value === '' ? [''] : value.split(' '))]);
