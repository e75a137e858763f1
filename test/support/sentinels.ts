/** Real Sentinels over a primary and its replicas, private to one test file. */
import { following, replicaOf, startRedis, type RedisServer } from './redis.js';
import { until } from './until.js';

export const PRIMARY = 'main';

export interface Watched {
  primary: RedisServer;
  replicas: RedisServer[];
  sentinels: RedisServer[];
  /** `host:port` of each Sentinel. */
  addresses: string[];
  /** Returns the server that the Sentinels call the primary now. */
  current: () => Promise<RedisServer>;
}

/** A primary, replicas that follow it, and three Sentinels that have found each other and all of them. */
export async function startWatched({ replicas: count = 1, settings = {} } = {}): Promise<Watched> {
  const primary = await startRedis(settings);
  const replicas = await Promise.all(Array.from({ length: count }, () => replicaOf(primary, settings)));
  for (const replica of replicas) await until(following(replica), 'a replica does not follow');
  const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(primary)));
  const [first] = sentinels;
  const know = async (sentinel: RedisServer) => {
    const master = fields(await sentinel.send('SENTINEL', 'MASTER', PRIMARY));
    return master.get('num-slaves') === String(count) && master.get('num-other-sentinels') === '2';
  };
  const agreed = async () => (await Promise.all(sentinels.map(know))).every(Boolean);
  await until(agreed, 'the Sentinels do not find each other');
  return {
    primary,
    replicas,
    sentinels,
    addresses: sentinels.map(({ port }) => `127.0.0.1:${port}`),
    async current() {
      const [, port] = (await first!.send('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', PRIMARY)) as string[];
      const found = [primary, ...replicas].find((server) => server.port === Number(port));
      if (!found) throw new Error('the Sentinels name a server that is none of ours');
      return found;
    },
  };
}

const startSentinel = ({ port }: RedisServer): Promise<RedisServer> =>
  startRedis(
    {},
    [
      'bind 127.0.0.1',
      `sentinel monitor ${PRIMARY} 127.0.0.1 ${port} 2`,
      `sentinel down-after-milliseconds ${PRIMARY} 500`,
      `sentinel failover-timeout ${PRIMARY} 3000`,
    ].join('\n'),
  );

function fields(answer: unknown): Map<string, string> {
  // The answer is a map under RESP3 and a list under RESP2.
  if (!Array.isArray(answer)) return new Map(Object.entries(answer as Record<string, string>));
  const texts = answer as string[];
  return new Map(texts.flatMap((text, i): [string, string][] => (i % 2 === 0 ? [[text, texts[i + 1] ?? '']] : [])));
}
