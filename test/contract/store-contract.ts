/** What every store must do, clause by clause of the port's comments. Each engine's test hands its opener to this suite. */
import { afterEach, beforeEach, describe } from '@jest/globals';
import type { Store } from '../../src/store/store.js';
import type { HandClock } from '../support/clock.js';
import { describeLog } from './log-contract.js';
import { describeRecords } from './records-contract.js';

export interface Opened {
  store: Store;
  clock: HandClock;
}

/** @param open Opens an empty store; it is closed by the suite. */
export function storeContract(engine: string, open: () => Promise<Opened>): void {
  describe(engine, () => {
    const opened = {} as Opened;
    beforeEach(async () => void Object.assign(opened, await open()));
    afterEach(() => opened.store.close());
    describeRecords(opened);
    describeLog(opened);
  });
}
