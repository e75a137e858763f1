/** By which words a request asks people: the same words find what became of them before. */
import { digestOpening, digestUnder } from '../domain/asked.js';
import type { Shard } from '../domain/id.js';
import type { Waiting } from './waiting.js';

type Words = Pick<Waiting, 'requester' | 'task' | 'asked' | 'stored' | 'run' | 'previous'>;

/** Returns the digest of a request that opens its task, and where that is born unless something else says where. */
export function openingWords({ requester, task, asked, run, previous }: Words): { digest: string; shard: Shard } {
  const { workload, principal, purpose, purposeFrom, ceiling } = task;
  const led = run ? Buffer.from(run.digest).toString('base64url') : previous?.record;
  const handed = requester.handed?.credential.id;
  return digestOpening({ workload, principal, purpose, purposeFrom, ceiling, handed, led }, asked);
}

/** Returns the digest that requests have in common of which one asks: they would work under one task, and ask for the same. */
export const wordsOf = (words: Words): string =>
  words.stored ? digestUnder(words.task, words.asked) : openingWords(words).digest;
