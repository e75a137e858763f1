import { openLmdb } from '../../src/store/lmdb.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { storeContract } from './store-contract.js';

storeContract('LMDB', async () => {
  const clock = handClock();
  return { clock, store: await openLmdb({ directory: temporaryDirectory(), clock, role: 'broker' }) };
});
