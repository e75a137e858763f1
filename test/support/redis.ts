/**
 * Real Redis servers for tests: private, on free loopback ports, in directories of their own, ended when the tests of the
 * file are over.
 * Needs `redis-server` in the path. Tests that need nothing special of a server take TEST_REDIS_URL when it is set.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { afterAll } from '@jest/globals';
import { Redis } from 'ioredis';
import { until } from './until.js';
import { freePort } from '../../scripts/free-port.js';
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
const DEFAULTS: Settings = {
  save: '3600 100000000',
  appendonly: 'no',
  bind: '127.0.0.1',
  'protected-mode': 'yes',
  'repl-diskless-sync-delay': '0',
};

// Ends the server when our end of its input closes, so that not even a killed test run leaves one behind.
const TIED = `
  redis-server "$@" >/dev/null & server=$!; echo $server
  exec 3<&0; (cat <&3; kill -9 $server) >/dev/null & tie=$!
  wait $server; kill $tie`;

const started = new Set<ChildProcessByStdio<Writable, Readable, null>>();
afterAll(() => {
  for (const { stdin } of started) stdin.end();
});

/** @param sentinel the configuration of a Sentinel, which has no settings of a server */
export async function startRedis(settings: Settings = {}, sentinel?: string): Promise<RedisServer> {
  const [port, directory] = [await freePort(), temporaryDirectory()];
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcessByStdio<Writable, Readable, null> | undefined;
  let pid = 0;

  const end = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    process.kill(pid, 'SIGCONT');
    process.kill(pid, signal);
    await ended;
  };
  const start = async () => {
    const own = { port: String(port), dir: directory };
    const given =
      sentinel === undefined
        ? argumentsOf({ ...DEFAULTS, ...own, ...settings })
        : [writtenTo(join(directory, 'sentinel.conf'), sentinel), ...argumentsOf(own), '--sentinel'];
    child = spawn('sh', ['-c', TIED, 'sh', ...given], { stdio: ['pipe', 'pipe', 'ignore'] });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    pid = Number(line.toString());
    started.add(child);
    await answers(url, child);
  };
  await start();
  return {
    url,
    port,
    pid: () => pid,
    send: (command, ...args) => send(url, command, ...args),
    signal: (name) => void process.kill(pid, name),
    kill: () => end('SIGKILL'),
    start,
    stop: () => end('SIGTERM'),
  };
}

export const replicaOf = ({ port }: RedisServer, settings: Settings = {}): Promise<RedisServer> =>
  startRedis({ replicaof: `127.0.0.1 ${port}`, ...settings });

export const following = (server: RedisServer) => async (): Promise<boolean> =>
  String(await server.send('INFO', 'replication')).includes('master_link_status:up');

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

function answers(url: string, child: { exitCode: number | null }): Promise<void> {
  return until(async () => {
    if (child.exitCode !== null) throw new Error('redis-server ended as soon as it was started: is it installed?');
    return (await send(url, 'PING').catch(() => 'not yet')) === 'PONG';
  }, 'redis-server does not answer');
}

async function send(url: string, command: string, ...args: (string | number)[]): Promise<unknown> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.call(command, ...args);
  } finally {
    // After a connection that failed, this would keep the process waiting for it to end.
    if (client.status !== 'end') client.disconnect();
  }
}

function writtenTo(file: string, text: string): string {
  writeFileSync(file, text);
  return file;
}

const argumentsOf = (settings: Settings): string[] =>
  Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...(value === '' ? [''] : value.split(' '))]);
