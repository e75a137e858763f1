/** The revocation log on Redis. */
import type { SystemClock } from '../../domain/time.js';
import { lacksKnown, parseLogEntry } from '../encoding.js';
import { AWAITED_MS, LogGap, type Log } from '../store.js';
import type { Client } from './client.js';
import type { Keys } from './keys.js';
import { publisher } from './publish.js';
import { pairs } from './records.js';
import type { Replicated } from './replicas.js';
import { asked, readScript, run, script } from './script.js';

const scripts = {
  look: script(readScript('look')),
  entries: script(readScript('entries')),
  snapshot: script(readScript('snapshot')),
  forget: script(readScript('forget')),
  adopt: script(readScript('adopt')),
  confirm: script(readScript('confirm')),
  replace: script(readScript('replace')),
};

const PAGE = 1_000;

interface LogOptions {
  /** A connection on which nothing else waits: a command that blocks holds up all that come after it. */
  waiting: Client;
  replicated: Replicated;
  /** Returns whether this is the same server after a restart that lost nothing (`redis.onRestart: trust`). */
  restartedWhole: () => Promise<boolean>;
  /** How many replicas can be promoted, where a failover keeps what lives (`redis.onFailover: keep`); otherwise 0. */
  promotable: number;
  clock: SystemClock;
  /** How far the clocks of brokers and servers may differ. */
  skewMs: number;
}

export function redisLog(client: Client, keys: Keys, options: LogOptions): Log {
  const { head, tombstones } = keys;
  const { replicated, promotable, clock, skewMs } = options;

  return {
    look: looker(client, keys),
    publish: publisher(client, keys, replicated),
    entries: async (after, limit) => {
      const answer = (await run(client, scripts.entries, [head, keys.entries], [after, limit])) as string[];
      const [seq, oldest, ...found] = answer;
      if (after > Number(seq) || after < parseInt(oldest ?? '', 10) - 1) {
        throw new LogGap(`entries after ${after} are not stored`);
      }
      return pairs(found).map(([id, text]) => ({ ...parseLogEntry(text), seq: parseInt(id, 10) }));
    },
    awaitEntry: async (after) => {
      const stream = ['STREAMS', keys.entries, `${after}-0`] as const;
      return (await asked(options.waiting.xread('COUNT', 1, 'BLOCK', AWAITED_MS, ...stream))) !== null;
    },
    snapshot: async (after = '0') => {
      const answer = await run(client, scripts.snapshot, [tombstones], [after, PAGE]);
      const [next, found] = answer as [string, string[]];
      return { tombstones: pairs(found), ...(next !== '0' && { next }) };
    },
    forget: async (unneeded) => {
      for (let i = 0; i < unneeded.length; i += PAGE) {
        await run(client, scripts.forget, [tombstones], unneeded.slice(i, i + PAGE).flat());
      }
    },
    adopt: async ({ foreign, home }, isKnown) => {
      if (foreign === undefined) return false;
      const proof = promotable > 0 ? [promotable, clock.reading(), skewMs] : [];
      if (promotable === 0 && !(isKnown && (await options.restartedWhole()))) return false;
      return (await run(client, scripts.adopt, [head], [foreign, home, ...proof])) === 1;
    },
    replace: async (seen, generation) => {
      const answer = await replicated(scripts.replace, [head], [seen ?? '', generation, promotable], neededByReplace);
      if (answer === 0) return false;
      const [, waiting] = answer as [number, string];
      return waiting === '' || (await run(client, scripts.confirm, [head], [waiting])) === 1;
    },
  };
}

const neededByReplace = (answer: unknown): number => (Array.isArray(answer) ? Number(answer[0]) : 0);

function looker(client: Client, { head, tombstones, entries }: Keys): Log['look'] {
  return async (causes, known) => {
    const numbers = known?.entries.map(({ seq }) => seq) ?? [];
    const args = [known?.home ?? '', numbers.length, ...numbers, ...causes];
    const answer = (await run(client, scripts.look, [head, tombstones, entries], args)) as (string | null)[];
    const [generation, installedAt, home = null, latest, id, ...texts] = answer;
    if (home === null) throw new Error('Redis does not tell its replication id');
    const stored = generation ?? undefined;
    const here = stored === undefined || installedAt === home;
    const seq = Number(latest ?? 0);
    const idAt = (number: number): string | undefined => {
      const text = texts[numbers.indexOf(number)];
      return typeof text === 'string' ? parseLogEntry(text).id : undefined;
    };
    return {
      ...(here ? { generation: stored } : { generation: undefined, foreign: stored }),
      home,
      seq,
      id: id ?? undefined,
      lacks: lacksKnown(known, { home, seq }, idAt),
      tombstones: texts.slice(numbers.length).map((text) => text ?? undefined),
    };
  };
}
