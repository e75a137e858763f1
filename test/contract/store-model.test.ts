import { handClock } from '../support/clock.js';
import { modelStore } from '../support/search/model-store.js';
import { storeContract } from './store-contract.js';

storeContract('the model', () => {
  const clock = handClock();
  return Promise.resolve({ clock, store: modelStore(clock) });
});
