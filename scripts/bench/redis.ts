/** A private Redis for a benchmark, with the default durability of the append-only file. */
import { Redis } from 'ioredis';
import { startChild, type Child } from './child.js';
import { freePort } from '../free-port.js';

export interface RedisServer extends Child {
  url: string;
  /** A connection for commands that are not measured. */
  client: Redis;
  usedMemory(): Promise<number>;
}

export async function startRedis(directory: string): Promise<RedisServer> {
  const port = await freePort();
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 50 });
  client.on('error', () => undefined);
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: directory,
    save: '',
    appendonly: 'yes',
    appendfsync: 'everysec',
    // A rewrite in the middle of a round would be measured with it.
    'auto-aof-rewrite-percentage': '0',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = await startChild('redis-server', args, {
    isReady: async () => {
      if (client.status === 'wait') await client.connect();
      await client.ping();
      return true;
    },
  });
  return {
    ...child,
    url: `redis://127.0.0.1:${port}`,
    client,
    usedMemory: async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1]),
    async end() {
      client.disconnect();
      await child.end();
    },
  };
}
