/** Ids come from callers: one that is no id, or names a record of another kind, is unknown. */
import { expect, it } from '@jest/globals';
import { newId } from '../../../src/domain/id.js';
import { readCredentials } from '../../../src/ledger/credentials.js';
import { recordKey } from '../../../src/ledger/keys.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import { changeSignal, readSignal, takeSignal } from '../../../src/ledger/signals.js';
import { readTask, readTasks, updateTask } from '../../../src/ledger/tasks.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';

it.each([newId('rev'), '', 'x', '../../x', 'tsk_', 'sig_aa'])(
  '%j is neither task, signal nor credential',
  async (id) => {
    const clock = handClock();
    const { records, log } = modelStore(clock);
    const ledger = { records, clock, log: openRevocationLog(log) };
    if (id.length > 10) await records.commit({ put: [[recordKey(id), '{}']] });
    const change = () => {
      throw new Error('there is nothing to change');
    };
    expect(await readTask(ledger, id)).toBeUndefined();
    expect(await readTasks(ledger, [id])).toEqual([]);
    expect(await updateTask(ledger, id, change)).toBeNull();
    expect(await readSignal(ledger, id)).toBeUndefined();
    expect(await changeSignal(ledger, id, change)).toBeNull();
    expect(await takeSignal(ledger, { id, from: 'accepted' }, change)).toBeUndefined();
    expect(await readCredentials(ledger, [id])).toEqual([]);
  },
);
