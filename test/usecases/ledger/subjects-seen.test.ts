/**
 * Which workloads called with a subject: one `sub` may be that of several, and then it tells nothing of them. And whose the sessions
 * are from which people asked.
 */
import { describe, expect, it } from '@jest/globals';
import { DAY_MS, HOUR_MS } from '../../../src/domain/time.js';
import { openRevocationLog } from '../../../src/ledger/revocation-log.js';
import { createPartyMemory, NEW_NAMES_PER_ISSUER, onlyPartyOf } from '../../../src/ledger/seen.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';

const SUBJECT = 'gh:repo:org/app:ref:refs/heads/main';
const [LINT, DEPLOY] = ['gh:42:lint.yml', 'gh:42:deploy.yml'];
const party = (id: string, subject = SUBJECT) =>
  ({ kind: 'workload', id, issuer: 'gh', subject, claims: {}, groups: [] }) as const;

function brokers() {
  const clock = handClock();
  const { records, log } = modelStore(clock);
  const ledger = { records, log: openRevocationLog(log), clock };
  const [here, there] = [createPartyMemory(ledger), createPartyMemory(ledger)];
  const whose = (value: string) => onlyPartyOf(ledger, { kind: 'session', value });
  return { clock, here, there, whose, meant: () => onlyPartyOf(ledger, { kind: 'subject', value: SUBJECT }) };
}
const written = () => new Promise((done) => setTimeout(done, 50));

describe('of a subject', () => {
  it('the only workload that called with it is known', async () => {
    const { here, there, meant } = brokers();
    here.called(party(DEPLOY));
    here.granted(party(DEPLOY));
    there.called(party(DEPLOY));
    await written();
    expect(await meant()).toBe(DEPLOY);
  });

  it.each(['one broker', 'two brokers'])('none is, when two called within the hour at %s, also at once', async (at) => {
    const { here, there, meant } = brokers();
    here.called(party(LINT));
    (at === 'one broker' ? here : there).called(party(DEPLOY));
    await written();
    expect(await meant()).toBeUndefined();
  });

  it('none is while two are remembered, and the one that still calls is after a month', async () => {
    const { clock, here, meant } = brokers();
    here.called(party(LINT));
    await written();
    for (let day = 1; day <= 31; day += 1) {
      clock.advance(DAY_MS);
      here.called(party(DEPLOY));
      await written();
      expect(await meant()).toBeUndefined();
    }
    clock.advance(DAY_MS);
    expect(await meant()).toBe(DEPLOY);
  });

  it('a second workload is remembered whatever the ration of new names, and does not stay in the way of a third', async () => {
    const { clock, here, meant } = brokers();
    here.called(party(LINT));
    for (let i = 0; i <= NEW_NAMES_PER_ISSUER; i += 1) here.called(party(`gh:${i}`, `gh:branch-${i}`));
    await written();
    here.called(party(DEPLOY));
    await written();
    expect(await meant()).toBeUndefined();
    clock.advance(31 * DAY_MS);
    here.called(party('gh:42:test.yml'));
    await written();
    clock.advance(DAY_MS + HOUR_MS);
    expect(await meant()).toBe('gh:42:test.yml');
  });
});

describe('of a session', () => {
  const ada = (session: string, id = 'staff:ada') =>
    ({ kind: 'person', id, issuer: 'staff', session, claims: {}, groups: [] }) as const;

  it('the person is known for a day after the last token for which something was granted', async () => {
    const { clock, here, whose } = brokers();
    here.called(ada('staff:s-1'));
    await written();
    expect(await whose('staff:s-1')).toBeUndefined();
    here.granted(ada('staff:s-1'));
    await written();
    expect(await whose('staff:s-1')).toBe('staff:ada');
    clock.advance(DAY_MS - 1);
    here.called(ada('staff:s-1'));
    await written();
    clock.advance(DAY_MS - 1);
    expect(await whose('staff:s-1')).toBe('staff:ada');
    clock.advance(1);
    expect(await whose('staff:s-1')).toBeUndefined();
  });

  it('logins use up nothing of the new names that an issuer may have', async () => {
    const { here, there, meant } = brokers();
    for (let login = 0; login <= NEW_NAMES_PER_ISSUER; login += 1)
      here.called({ ...ada(`gh:s-${login}`, 'gh:ada'), issuer: 'gh' });
    here.called(party(DEPLOY));
    there.called(party(DEPLOY));
    await written();
    expect(await meant()).toBe(DEPLOY);
  });
});
