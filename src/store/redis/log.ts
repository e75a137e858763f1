/** The revocation log on Redis. */
import { parseLogEntry } from '../encoding.js';
import { LogGap, type Log, type Look } from '../store.js';
import type { Client } from './client.js';
import type { Keys } from './keys.js';
import { publisher, type Publishing } from './publish.js';
import { pairs } from './records.js';
import { readScript, run, script } from './script.js';

const scripts = {
  look: script(readScript('look')),
  entries: script(readScript('entries')),
  snapshot: script(readScript('snapshot')),
  forget: script(readScript('forget')),
  replace: script(readScript('replace')),
};

const PAGE = 1_000;

interface LogOptions extends Publishing {
  /** Returns whether this is the same server after a restart that lost nothing (`redis.onRestart: trust`). */
  restartedWhole: () => Promise<boolean>;
}

export function redisLog(client: Client, keys: Keys, options: LogOptions): Log {
  const { head, tombstones } = keys;

  const replace = async (seen: string | undefined, generation: string): Promise<boolean> =>
    (await run(client, scripts.replace, [head], [seen ?? '', generation])) === 1;

  const look = async (causes: readonly string[]): Promise<Look> => {
    const answer = (await run(client, scripts.look, [head, tombstones], causes)) as (string | null)[];
    const [generation, installedAt, home, seq] = answer;
    const stored = generation ?? undefined;
    const here = stored === undefined || installedAt === home;
    return {
      ...(here ? { generation: stored } : { generation: undefined, foreign: stored }),
      seq: Number(seq ?? 0),
      tombstones: answer.slice(4).map((text) => text ?? undefined),
    };
  };

  return {
    look: async (causes) => {
      const found = await look(causes);
      if (found.foreign === undefined || !(await options.restartedWhole())) return found;
      await replace(found.foreign, found.foreign);
      return look(causes);
    },
    publish: publisher(client, keys, options),
    entries: async (after, limit) => {
      const answer = (await run(client, scripts.entries, [head, keys.entries], [after, limit])) as string[];
      const [seq, oldest, ...found] = answer;
      if (after > Number(seq) || after < parseInt(oldest ?? '', 10) - 1) {
        throw new LogGap(`entries after ${after} are not stored`);
      }
      return pairs(found).map(([id, text]) => ({ ...parseLogEntry(text), seq: parseInt(id, 10) }));
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
    replace,
  };
}
