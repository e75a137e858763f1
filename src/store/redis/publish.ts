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
import type { Client } from './client.js';
import type { Keys } from './keys.js';
import type { Replicated } from './replicas.js';
import { asked, readScript, script } from './script.js';

const publish = script(readScript('publish'));
const ATTEMPTS = 100;

export function publisher(client: Client, keys: Keys, replicated: Replicated): Log['publish'] {
  const names = (id: string) => [keys.head, keys.tombstones, keys.entries, keys.published(id)];

  const written = async (publication: Publication, before: string, after: string): Promise<[string, string]> => {
    const text = JSON.stringify({ ...publication, ...(before !== '' && { before }) });
    const args = [publication.id, publication.cause, before, after, text, PUBLICATIONS_KNOWN_MS, ENTRIES_KEPT];
    const answer = await replicated(publish, names(publication.id), args, (given) => (given as [number])[0]);
    const [, outcome, told] = answer as [number, string, string];
    return [outcome, told];
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
