/** Of several brokers on one ledger, one at a time writes to a role. A late write of another is repaired, and no record claims more than is true. */
import { describe, expect, it } from '@jest/globals';
import { cause } from '../../../src/domain/selector.js';
import { enforcementKey } from '../../../src/ledger/keys.js';
import { handClock } from '../../support/clock.js';
import { memoryAws, OTHER_ROLE, ROLE } from '../../support/sessions/memory-aws.js';
import { modelStore, type ModelStore } from '../../support/search/model-store.js';
import { FENCED_SECONDS, pass, sessionBroker, type SessionBroker } from '../../support/brokers/sessions.js';

async function begin() {
  const clock = handClock();
  const store = modelStore(clock);
  const aws = memoryAws(clock);
  const [one, two] = [
    sessionBroker({ store, clock, aws, node: 'one' }),
    sessionBroker({ store, clock, aws, node: 'two' }),
  ];
  await pass(clock, FENCED_SECONDS, one, two);
  const wait = (seconds: number, ...brokers: SessionBroker[]) => pass(clock, seconds, ...brokers);
  /** The fence in the policy that the role has. */
  const fence = (role = ROLE): unknown => [aws.document(role)?.Statement].flat()[0]?.Sid;
  const endOne = async (by: SessionBroker) => {
    const { credential } = await by.mint('lab:red-1');
    await by.revoke('credential', credential.id, 'end');
    return credential;
  };
  return { clock, store, aws, one, two, wait, fence, endOne };
}

/** If the holder of the lease dies, others wait this long at most. */
const LEASE_SECONDS = 20;

describe('two brokers over one role', () => {
  it('one writes, whichever of them revokes', async () => {
    const { aws, one, two, wait, fence, endOne } = await begin();
    expect([one.events, two.events]).toEqual([['pushed', 'pushed'], []]);
    const dead = [await endOne(two), await endOne(one)];
    await wait(5, two, one);
    expect([one.events.length, two.events.length, fence()]).toEqual([3, 0, 'r1']);
    expect(dead.map(({ id }) => aws.reads(id))).toEqual([false, false]);
  });

  it('the other takes over when the lease has ended, and no sooner, with a higher fence', async () => {
    const { aws, two, wait, fence, endOne } = await begin();
    const dead = await endOne(two);
    await wait(13, two);
    expect([two.events, fence()]).toEqual([[], 'r1']);
    await wait(8, two);
    expect([two.events, fence(), fence(OTHER_ROLE)]).toEqual([['pushed', 'pushed'], 'r2', 'r2']);
    await wait(4, two);
    expect(aws.reads(dead.id)).toBe(false);
  });

  it('the other takes over at once when the first releases its lease, and leaves nothing out', async () => {
    const { aws, one, two, wait, fence, endOne } = await begin();
    const dead = [await endOne(one)];
    await wait(1, one, two);
    dead.push(await endOne(one));
    await one.reconciler.releaseLeases();
    await wait(1, two);
    expect([two.events, fence()]).toEqual([['pushed', 'pushed'], 'r2']);
    await wait(4, two);
    expect(dead.map(({ id }) => aws.reads(id))).toEqual([false, false]);
  });

  it('one that ends releases no lease of the other', async () => {
    const { one, two, wait, fence, endOne } = await begin();
    await two.reconciler.releaseLeases();
    await endOne(one);
    await wait(5, two);
    expect([two.events, fence()]).toEqual([[], 'r1']);
  });

  it('neither mints while nobody has the lease', async () => {
    const { clock, one, two, wait } = await begin();
    await expect(two.mint('lab:red-1')).resolves.toBeDefined();
    clock.advance(LEASE_SECONDS * 1_000);
    await expect(two.mint('lab:red-1')).rejects.toMatchObject({ code: 'temporarily_unavailable' });
    await wait(1, one);
    await expect(two.mint('lab:red-1')).resolves.toBeDefined();
  });
});

describe('a write that comes late, after another has taken over', () => {
  async function late(prepare: (stage: Awaited<ReturnType<typeof begin>>) => void = () => undefined) {
    const stage = await begin();
    const { aws, one, two, wait, endOne } = stage;
    let arrive: () => void = () => undefined;
    aws.late = new Promise((resolve) => (arrive = resolve));
    const [early, missing] = [await endOne(one), await two.mint('lab:blue-1')];
    const stuck = one.work();
    await new Promise((resolve) => setImmediate(resolve));
    delete aws.late;
    await two.revoke('credential', missing.credential.id, 'end');
    await wait(LEASE_SECONDS, two);
    await wait(16, two);
    expect((await two.end(missing.credential))?.effect).toBe('effective');
    prepare(stage);
    arrive();
    await stuck;
    return { ...stage, early, missing: missing.credential };
  }

  it('does not count as pushed for the broker that wrote it', async () => {
    const { one, two, fence } = await late();
    expect(fence()).toBe('r1');
    expect([one.events, two.events]).toEqual([
      ['pushed', 'pushed', 'leaseLost'],
      ['pushed', 'pushed'],
    ]);
  });

  it('is recorded by the broker that wrote it: no end counts as effective there until the holder has written again', async () => {
    const { aws, two, wait, fence, early, missing } = await late();
    expect([aws.reads(early.id), aws.reads(missing.id)]).toEqual([false, false]); // The late write has not propagated yet.
    const ends = () => Promise.all([early, missing].map((one) => two.end(one)));
    expect((await ends()).map((end) => end?.effect)).toEqual(['pending', 'pending']);
    await wait(1, two);
    await wait(4, two);
    expect(fence()).toBe('r3');
    expect((await ends()).map((end) => end?.effect)).toEqual(['written', 'written']);
    await wait(11, two);
    expect((await ends()).map((end) => end?.effect)).toEqual(['effective', 'effective']);
    expect([early, missing].map(({ id }) => aws.reads(id))).toEqual([false, false]);
  });

  it('is recorded although the holder writes its record at that very moment', async () => {
    const { two, wait, fence, missing } = await late(({ store }) => beforeMarksGo(store));
    expect((await two.end(missing))?.effect).toBe('pending');
    await wait(1, two);
    expect(fence()).toBe('r3');
  });
});

/** Makes the first write that takes the marks from the role's record fail: `revision` has risen meanwhile. */
function beforeMarksGo({ records }: ModelStore): void {
  const commit = records.commit.bind(records);
  records.commit = async (change) => {
    const [key, text] = change.put?.[0] ?? ['', ''];
    if (key !== enforcementKey(cause('target', ROLE)) || !text.includes('"marks":[]')) return commit(change);
    records.commit = commit;
    const [stored = ''] = await records.read([key]);
    const state = JSON.parse(stored) as { revision: number };
    await commit({ put: [[key, JSON.stringify({ ...state, revision: state.revision + 1 })]] });
    return commit(change);
  };
}

describe('what somebody else did to the deny policy', () => {
  it.each([
    ['deleted it', undefined],
    [
      'wrote another',
      '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}]}',
    ],
  ])('is undone at the next check: who %s', async (_, text) => {
    const { aws, one, wait, endOne } = await begin();
    const dead = await endOne(one);
    await wait(5, one);
    aws.tamper(ROLE, text);
    await wait(5, one);
    expect(aws.reads(dead.id)).toBe(true);
    await one.reconciler.check();
    await wait(5, one);
    expect(aws.reads(dead.id)).toBe(false);
  });

  it('is found at every role, though one of them cannot be looked at', async () => {
    const { aws, one, wait } = await begin();
    const { enforcer } = aws.minter;
    const isInForce = enforcer.isInForce.bind(enforcer);
    enforcer.isInForce = (target, ...rest) =>
      target === ROLE ? Promise.reject(new Error('IAM does not answer')) : isInForce(target, ...rest);
    aws.tamper(OTHER_ROLE);
    await expect(one.reconciler.check()).rejects.toThrow('IAM does not answer');
    expect(one.events).toContain('drifted');
    await wait(1, one);
    expect(aws.document(OTHER_ROLE)).toBeDefined();
  });

  it('is not mistaken for what the broker itself writes while it looks', async () => {
    const { aws, one, wait, endOne } = await begin();
    const { enforcer } = aws.minter;
    const isInForce = enforcer.isInForce.bind(enforcer);
    enforcer.isInForce = async (...asked) => {
      if (asked[0] === ROLE) await one.work();
      return isInForce(...asked);
    };
    const dead = await endOne(one);
    await one.reconciler.check();
    await wait(16, one);
    expect(one.events).not.toContain('drifted');
    expect((await one.end(dead))?.effect).toBe('effective');
  });
});
