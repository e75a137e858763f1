/** One look at the log answers about the causes that it was taken for, and about no others. */
import { describe, expect, it } from '@jest/globals';
import { formatEpoch } from '../../../src/domain/liveness.js';
import { ALL, cause } from '../../../src/domain/selector.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import { handClock } from '../../support/clock.js';
import { publication } from '../../support/publication.js';
import { modelStore } from '../../support/search/model-store.js';

const [RED, BLUE] = [cause('workload', 'lab:red'), cause('workload', 'lab:blue')];

describe('A look at the log', () => {
  it('does not call anything alive by a cause that it was not taken for: that question is a bug', async () => {
    const seen = await openRevocationLog(modelStore(handClock()).log).look([RED]);
    const born = formatEpoch(seen.epoch);
    expect(seen.deathOf('task', born, [RED])).toBeUndefined();
    for (const causes of [[BLUE], [RED, ALL]]) {
      expect(() => seen.on(causes)).toThrow('did not include');
      expect(() => seen.deathOf('task', born, causes)).toThrow('did not include');
      expect(() => seen.firstDeathOf('credential', born, causes)).toThrow('did not include');
    }
  });

  it('G5: sees what was acknowledged before it was asked for, also while an earlier look is under way', async () => {
    const { log: whole } = modelStore(handClock());
    let release = () => {};
    let gate = Promise.resolve();
    const log = openRevocationLog({
      ...whole,
      async look(...asked) {
        const answer = await whole.look(...asked);
        await gate;
        return answer;
      },
    });
    await log.look([RED]);
    gate = new Promise((resolve) => (release = resolve));
    const early = log.look([RED]);
    await new Promise((resolve) => setImmediate(resolve));
    await log.publish(publication({ cause: RED, effect: 'hold' }));
    const late = log.look([RED]);
    release();
    expect((await early).on([RED])).toEqual([undefined]);
    expect((await late).on([RED])).toEqual([expect.objectContaining({ holds: [1] })]);
  });
});
