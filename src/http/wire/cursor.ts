/**
 * The cursors of lists (`after`, `next`): where the page before ended. That may have been at something which the caller may not know
 * of, so a cursor is hidden from whoever carries it.
 */
import { z } from 'zod';
import type { WorkloadPlace } from '../../ledger/workloads.js';
import type { HttpDeps } from '../deps.js';

type CursorDeps = Pick<HttpDeps, 'keys'>;

/** Each list whose pages end at a place; a cursor of one is none of another. */
type List = 'signals' | 'tasks' | 'approvals' | 'workloads';

type Place = readonly [score: number, id: string];

/** Returns the schema of the cursor of a list in the order of scores. */
export const cursor = (deps: CursorDeps, list: Exclude<List, 'workloads'>) =>
  hidden(deps, list, (text): [score: number, id: string] => {
    const [score = '', id = ''] = text.split('.');
    return [Number(score), id];
  });

export const cursorText = ({ keys }: CursorDeps, list: List, [score, id]: Place): string =>
  keys.hide(`${score}.${id}`, list);

export const workloadCursor = (deps: CursorDeps) =>
  hidden(deps, 'workloads', (text): WorkloadPlace => {
    const [shard = '', score, passed] = text.split('.');
    return { shard, score: Number(score), passed: Number(passed) };
  });

export const workloadCursorText = ({ keys }: CursorDeps, { shard, score, passed }: WorkloadPlace): string =>
  keys.hide(`${shard}.${score}.${passed}`, 'workloads');

export const nextCursor = z
  .string()
  .exactOptional()
  .describe('The `after` of the next page; absent on the last. A page may be short, or empty, and not be the last.');

const NO_CURSOR = 'must be the `next` of a page';

/** What opens was written here, so it is not examined again. */
const hidden = <P>(deps: CursorDeps, list: List, placeIn: (text: string) => P) =>
  z
    .string()
    .regex(/^[\w-]{1,256}$/, NO_CURSOR)
    .transform((text, context): P => {
      const place = deps.keys.reveal(text, list);
      if (place !== undefined) return placeIn(place);
      context.addIssue(NO_CURSOR);
      return z.NEVER;
    });
