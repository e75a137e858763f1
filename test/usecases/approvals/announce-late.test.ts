/** What nobody may have heard of is announced by another broker: once, however many there are, and each for itself. */
import { expect, it } from '@jest/globals';
import { announceLate } from '../../../src/approvals/announce.js';
import { MINUTE_MS } from '../../../src/domain/time.js';
import { unannouncedBefore, unannouncedChange } from '../../../src/ledger/unannounced.js';
import { approvalOf, askingBroker, waitingFor } from '../../support/approvals/asking.js';

/** Asks people something, as a broker does that dies before it can announce it; that is a while ago. */
async function unannounced(count: number) {
  const on = await askingBroker();
  const { ledger, audit } = on.deps;
  const told: string[] = [];
  const append: typeof audit.append = (event) => {
    if (event.approval) told.push(event.approval.id);
    return audit.append(event);
  };
  const ids: string[] = [];
  for (let name = 0; name < count; name += 1) {
    const access = [{ path: `incident/${name}`, actions: ['write'] }];
    const { id } = await waitingFor(on.exchange({ access }));
    await ledger.records.commit(unannouncedChange(await approvalOf(on.deps, id)));
    ids.push(id);
  }
  on.clock.advance(MINUTE_MS + 1);
  const left = () => unannouncedBefore(ledger, on.clock.now());
  return { on, ledger, audit: { ...audit, append }, ids, told, left };
}

it('by one broker of several that look at the same time', async () => {
  const { ledger, audit, ids, told, left } = await unannounced(3);
  await Promise.all(Array.from({ length: 5 }, () => announceLate({ ledger, audit })));
  expect(told.toSorted()).toEqual(ids.toSorted());
  expect(await left()).toEqual([]);
});

it('by another one, where the first died before it could', async () => {
  const { on, ledger, audit, ids, told, left } = await unannounced(1);
  const dying = { ...audit, append: () => Promise.reject(new Error('it died')) };
  await expect(announceLate({ ledger, audit: dying })).rejects.toThrow();
  await announceLate({ ledger, audit });
  expect(told).toEqual([]);
  on.clock.advance(MINUTE_MS + 1);
  await announceLate({ ledger, audit });
  expect([told, await left()]).toEqual([ids, []]);
});

it('although the log takes no entry of another', async () => {
  const { ledger, audit, ids, told, left } = await unannounced(4);
  const [bad] = await left();
  const append: typeof audit.append = (event) =>
    event.approval?.id === bad ? Promise.reject(new Error('it cannot be entered')) : audit.append(event);
  await expect(announceLate({ ledger, audit: { ...audit, append } })).rejects.toThrow('1 of 4 failed');
  expect(told.toSorted()).toEqual(ids.filter((id) => id !== bad).toSorted());
  expect(await left()).toEqual([bad]);
});
