import { existsSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, expect, it, jest } from '@jest/globals';
import { keepInFile } from '../../../src/cli/token-file.js';
import { until } from '../../support/until.js';

/** A file that is asked for its next token each second, by hand; and a source that answers when it is told to. */
async function kept() {
  jest.useFakeTimers({ now: Date.now(), doNotFake: ['setTimeout', 'nextTick', 'setImmediate', 'queueMicrotask'] });
  let answer: (token: string) => void = () => undefined;
  let source = Promise.resolve('first');
  const reported: unknown[] = [];
  const file = await keepInFile(
    () => source,
    (error) => void reported.push(error),
  );
  source = new Promise((resolve) => (answer = resolve));
  // A broker that is away for some seconds: they all wait for the same token, and get it in the same moment.
  jest.advanceTimersByTime(5_000);
  return { ...file, reported, answer: (token: string) => answer(token) };
}
afterEach(() => void jest.useRealTimers());

it('is replaced once, and is never half a token, by however many wait for the same one', async () => {
  const { path, reported, answer, close } = await kept();
  const next = 'n'.repeat(1_000_000);
  answer(next);
  const seen = new Set<string>();
  await until(() => {
    seen.add(readFileSync(path, 'utf8'));
    return seen.size > 1;
  }, 'it is not replaced');
  await close();
  expect([...seen].map((text) => text.length)).toEqual(['first'.length, next.length]);
  expect(reported).toEqual([]);
});

it('stays gone when a token comes after its end', async () => {
  const { path, reported, answer, close } = await kept();
  await close();
  answer('late');
  // What it would write now would be done before these.
  for (let looks = 0; looks < 50; looks += 1) await stat(dirname(dirname(path)));
  expect([existsSync(dirname(path)), reported]).toEqual([false, []]);
});
