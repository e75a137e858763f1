/** The bounded queue of ids: order, bounds, no repetition, and its end. */
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { boundedQueue, type BoundedQueue } from '../../../src/signals/bounded-queue.js';

let began: string[];
let finish: Map<string, () => void>;
let queue: BoundedQueue;
beforeEach(() => {
  began = [];
  finish = new Map();
  const work = (id: string) =>
    new Promise<void>((resolve) => {
      began.push(id);
      finish.set(id, resolve);
    });
  queue = boundedQueue(work, { concurrency: 2, waitingMost: 3 });
});

const done = async (id: string) => {
  finish.get(id)?.();
  await turn();
};

describe('work on ids', () => {
  it('begins at once as far as there is room, and goes on in order', async () => {
    for (const id of ['a', 'b', 'c', 'd']) queue.push(id);
    expect(began).toEqual(['a', 'b']);
    await done('b');
    await done('a');
    expect(began).toEqual(['a', 'b', 'c', 'd']);
  });

  it('keeps no more in mind than was allowed, however many come', () => {
    for (let id = 0; id < 10_000; id += 1) queue.push(String(id));
    expect(Array.from({ length: 10_000 }, (_, id) => String(id)).filter((id) => queue.has(id))).toHaveLength(5);
  });

  it('is not done twice at once', () => {
    for (const id of ['a', 'a', 'b', 'c', 'c']) queue.push(id);
    expect([began, queue.has('c')]).toEqual([['a', 'b'], true]);
  });

  it('is forgotten once it is done: the same id can come again', async () => {
    queue.push('a');
    await done('a');
    expect(queue.has('a')).toBe(false);
    queue.push('a');
    expect([began, queue.has('a')]).toEqual([['a', 'a'], true]);
  });

  it('ends with what is under way: nothing more begins', async () => {
    for (const id of ['a', 'b', 'c']) queue.push(id);
    let closed = false;
    const closing = queue.close().then(() => (closed = true));
    await done('a');
    expect(closed).toBe(false);
    await done('b');
    await closing;
    queue.push('d');
    expect(began).toEqual(['a', 'b']);
  });
});
