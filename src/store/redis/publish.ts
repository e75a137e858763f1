/**
 * Publication on Redis. The tombstone is joined here, so that the rule is written once. A script numbers and writes it, if the
 * tombstone before is still the one that was read.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { PUBLICATIONS_KNOWN_MS } from '../../domain/limits.js';
import { join, type LogEntry, type Publication } from '../../domain/tombstone.js';
import { ENTRIES_KEPT, entryOf, parseLogEntry } from '../encoding.js';
import { StoreUnavailable, type Log } from '../store.js';
import { unavailable, type Client } from './client.js';
import type { Keys } from './keys.js';
import { asked, readScript, run, script } from './script.js';

export interface Publishing {
  /** How many replicas must have a publication before it is acknowledged. */
  replicas: number;
  /** Where there are such replicas, a connection of its own: WAIT blocks every command behind it. */
  patient: Client;
}

const publish = script(readScript('publish'));
const ATTEMPTS = 100;
const REPLICAS_WITHIN_MS = 1_000;

export function publisher(client: Client, keys: Keys, { replicas, patient }: Publishing): Log['publish'] {
  const names = (id: string) => [keys.head, keys.tombstones, keys.entries, keys.published(id)];

  const written = async (publication: Publication, before: string, after: string): Promise<[string, string]> => {
    const text = JSON.stringify({ ...publication, ...(before !== '' && { before }) });
    const args = [publication.id, publication.cause, before, after, text, PUBLICATIONS_KNOWN_MS, ENTRIES_KEPT];
    const answer =
      replicas === 0
        ? await run(client, publish, names(publication.id), args)
        : await awaited(patient, names(publication.id), args, replicas);
    return answer as [string, string];
  };

  const known = async (publication: Publication, seq: number, before: string): Promise<LogEntry> => {
    const [found] = await asked(client.xrange(keys.entries, `${seq}-0`, `${seq}-0`));
    const text = found?.[1][1];
    return text === undefined ? entryOf(publication, seq, before || undefined) : { ...parseLogEntry(text), seq };
  };

  return async (publication) => {
    let before = (await asked(client.hget(keys.tombstones, publication.cause))) ?? '';
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const after = join(before || undefined, publication);
      const [outcome, text] = await written(publication, before, after ?? '');
      if (outcome !== 'missed') {
        const [seq = '', ...rest] = text.split(' ');
        const joinedTo = rest.join(' ');
        return outcome === 'new'
          ? entryOf(publication, Number(seq), joinedTo || undefined)
          : known(publication, Number(seq), joinedTo);
      }
      if (after === undefined && text === before) return undefined;
      before = text;
      await pause(randomInt(attempt + 1));
    }
    throw new StoreUnavailable('too many publications to one cause at once');
  };
}

/** Publishes and waits in one pipeline: WAIT counts the replicas of what its own connection wrote, on its own node of a cluster. */
async function awaited(client: Client, names: string[], args: (string | number)[], replicas: number): Promise<unknown> {
  const pipeline = client.pipeline().eval(publish.text, names.length, ...names, ...args);
  const [published, waited] = (await asked(pipeline.wait(replicas, REPLICAS_WITHIN_MS).exec())) ?? [];
  if (!published || published[0]) throw unavailable(published?.[0]);
  if (Number(waited?.[1] ?? 0) < replicas) throw new StoreUnavailable('published, but too few replicas have it');
  return published[1];
}
