/** Who asks at the same time is answered together, and never by a question that began before. */
import { describe, expect, it } from '@jest/globals';
import { askTogether } from '../../../src/domain/ask-together.js';

/** A question that waits until it is let go, and what was asked each time. */
function waiting() {
  const asked: string[][] = [];
  const underWay: { answer: (answer: string) => void; fail: (error: Error) => void }[] = [];
  const ask = askTogether<string, string>((keys) => {
    asked.push([...keys]);
    return new Promise((answer, fail) => underWay.push({ answer, fail }));
  });
  return { ask, asked, underWay };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('Questions to the store', () => {
  it('that come in one turn are one, with each key once', async () => {
    const { ask, asked, underWay } = waiting();
    const answers = [ask(['red', 'blue']), ask(['blue', 'green'])];
    await settled();
    underWay[0]!.answer('all');
    expect(await Promise.all(answers)).toEqual(['all', 'all']);
    expect(asked).toEqual([['red', 'blue', 'green']]);
  });

  it('that come while one is under way wait, and are then one that begins after them', async () => {
    const { ask, asked, underWay } = waiting();
    const first = ask(['red']);
    await settled();
    const later = [ask(['red']), ask(['blue'])];
    await settled();
    expect(asked).toEqual([['red']]);
    underWay[0]!.answer('before');
    expect(await first).toBe('before');
    await settled();
    underWay[1]!.answer('after');
    expect(await Promise.all(later)).toEqual(['after', 'after']);
    expect(asked).toEqual([['red'], ['red', 'blue']]);
  });

  it('that fail are refused to all who asked, and hold up nobody who comes later', async () => {
    const { ask, underWay } = waiting();
    const refused = Promise.allSettled([ask(['red']), ask(['blue'])]);
    await settled();
    const later = ask(['green']);
    underWay[0]!.fail(new Error('away'));
    expect((await refused).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await settled();
    underWay[1]!.answer('back');
    expect(await later).toBe('back');
  });
});
