/** The audit log over a store: no entry is lost or doubled, and there is one chain, whichever broker writes and whatever fails. */
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { jwtVerify, createLocalJWKSet } from 'jose';
import { AUDIT_HEAD_TYP } from '../../../src/audit/head.js';
import { verifyExport } from '../../../src/audit/verify.js';
import { StoreUnavailable, type Records, type Store } from '../../../src/store/store.js';
import { openLmdb } from '../../../src/store/lmdb.js';
import { auditSetting, entry, issuer, unreliable, type AuditSetting, type Fate } from '../../support/audit.js';
import { handClock, type HandClock } from '../../support/clock.js';
import { temporaryDirectory } from '../../support/directory.js';
import { modelStore } from '../../support/search/model-store.js';

const opened: Store[] = [];
afterAll(() => Promise.all(opened.map((store) => store.close())));

const stores: [string, (clock: HandClock) => Promise<Store>][] = [
  ['the model store', (clock) => Promise.resolve(modelStore(clock))],
  ['LMDB', (clock) => openLmdb({ directory: temporaryDirectory(), clock, role: 'broker' })],
];

const numbers = (count: number) => Array.from({ length: count }, (_, index) => `#${index}`);

describe.each(stores)('the audit log on %s', (_, openStore) => {
  let clock: HandClock;
  let store: Store;
  let setting: AuditSetting;
  beforeEach(async () => {
    clock = handClock();
    store = await openStore(clock);
    opened.push(store);
    setting = await auditSetting(store, clock);
  });

  /** As whoever has the published keys verifies it. */
  async function claimsOf(signed: string, typ: string) {
    const keys = createLocalJWKSet(await setting.keys.jwks());
    return (await jwtVerify(signed, keys, { typ, issuer, algorithms: ['ES256'] })).payload;
  }

  it('keeps entries in the order they came, exactly as given, with the broker that wrote them', async () => {
    const log = setting.open({ node: 'broker-1' });
    for (const reason of numbers(3)) await log.append(entry(reason));
    expect(await setting.reasons()).toEqual(numbers(3));
    const [first] = await setting.lines();
    expect(first).toBe(
      '{"seq":1,"prev":"","type":"operation.refused","at":1900000000000,"reason":"#0","node":"broker-1"}',
    );
    await setting.expectWhole();
  });

  it('many brokers at once make one chain in which every entry stands once', async () => {
    const logs = Array.from({ length: 5 }, (__, broker) => setting.open({ node: `broker-${broker}` }));
    const wanted = numbers(300);
    await Promise.all(wanted.map((reason, index) => logs[index % logs.length]!.append(entry(reason))));
    expect((await setting.reasons()).sort()).toEqual(wanted.sort());
    await setting.expectWhole();
  });

  it('a batch is bounded in bytes as well as in lines, and an entry larger than that still gets in', async () => {
    const log = setting.open();
    const principal = 'x'.repeat(30_000);
    const sizes: number[] = [];
    const records: Records = {
      ...store.records,
      commit: (change) => (
        sizes.push(...(change.put ?? []).map(([, text]) => text.length)),
        store.records.commit(change)
      ),
    };
    const measured = setting.open({ records });
    await Promise.all(numbers(40).map((reason) => measured.append(entry(reason, { principal }))));
    expect(Math.max(...sizes)).toBeLessThan(300_000);
    await log.append(entry('large', { principal: 'x'.repeat(300_000) }));
    expect(await setting.reasons()).toHaveLength(41);
    await setting.expectWhole();
  });

  it('an append resolves only when its entry is in the chain', async () => {
    const log = setting.open();
    await Promise.all(
      numbers(40).map(async (reason) => {
        await log.append(entry(reason));
        expect(await setting.reasons()).toContain(reason);
      }),
    );
  });

  it('what waits while a write is in flight goes into the next one together', async () => {
    let commits = 0;
    const counted: Records = {
      ...store.records,
      commit: (change) => {
        commits += 1;
        return store.records.commit(change);
      },
    };
    const log = setting.open({ records: counted });
    await Promise.all(numbers(600).map((reason) => log.append(entry(reason))));
    expect(commits).toBeLessThanOrEqual(3);
    expect(await setting.reasons()).toEqual(numbers(600));
  });

  it('signs a head that vouches for all of it', async () => {
    const log = setting.open();
    await log.append(entry('x'));
    const payload = await claimsOf(await log.signedHead(), AUDIT_HEAD_TYP);
    const head = await log.head();
    expect(payload).toEqual({ iss: issuer, iat: clock.now() / 1000, head });
    expect(await verifyExport(await setting.lines(), head)).toEqual({ ok: true, entries: 1 });
  });

  it('pruning drops what is older, leaves a signed checkpoint, says so, and the rest still verifies', async () => {
    const log = setting.open();
    for (const [index, reason] of numbers(10).entries()) {
      await log.append(entry(reason, { at: clock.now() + index }));
    }
    clock.advance(1_000);
    await log.prune(clock.now() - 1_000 + 4);
    const head = await log.head();
    expect(head.checkpoint).toMatchObject({ seq: 4 });
    expect(await setting.reasons()).toEqual([...numbers(10).slice(4), '']);
    expect((await setting.lines()).at(-1)).toContain('"type":"audit.pruned"');
    await setting.expectWhole();
    const { seq, hash, signed } = head.checkpoint!;
    expect(await claimsOf(signed, 'mayfly-audit-checkpoint+jwt')).toMatchObject({ checkpoint: { seq, hash } });
    expect(await claimsOf(await log.signedHead(), AUDIT_HEAD_TYP)).toMatchObject({ checkpoint: { seq, hash } });

    await log.prune(clock.now() - 1_000 + 4);
    expect(await log.head()).toEqual(head);
    await log.append(entry('after'));
    await setting.expectWhole();
  });

  it('pruning never makes a hole: behind what must stay, everything stays', async () => {
    const log = setting.open();
    const now = clock.now();
    for (const [index, at] of [now - 50, now, now - 50].entries()) await log.append(entry(`#${index}`, { at }));
    await log.prune(now - 10);
    expect(await setting.reasons()).toEqual(['#1', '#2', '']);
    await setting.expectWhole();
  });

  it('pruning everything, by many brokers at once, ends, and leaves a chain that goes on', async () => {
    const logs = [setting.open(), setting.open(), setting.open()];
    await Promise.all(numbers(200).map((reason, index) => logs[index % 3]!.append(entry(reason, { at: 1 }))));
    await Promise.all(logs.map((log) => log.prune(Infinity)));
    expect((await setting.reasons()).every((reason) => reason === '')).toBe(true);
    await logs[0]!.append(entry('after'));
    expect(await setting.reasons()).toContain('after');
    await setting.expectWhole();
  });

  it('pages through exact lines, filtered, bounded, and never twice', async () => {
    const log = setting.open();
    const tasks = ['tsk_one', 'tsk_two', 'tsk_"quoted"'];
    const at = (index: number) => clock.now() + index * 1_000;
    for (const [index, reason] of numbers(60).entries()) {
      await log.append(
        entry(reason, {
          at: at(index),
          task: tasks[index % 3]!,
          decision: { id: `dec_${index % 4}`, outcome: 'deny', policies: [], digest: 'd' },
        }),
      );
    }
    const lines = await setting.lines();
    const every = (rest: number) => (__: string, index: number) => index % 3 === rest;
    const first = await log.page({ limit: 7, filter: { task: 'tsk_two' } });
    expect(first.lines).toEqual(lines.filter(every(1)).slice(0, 7));
    const second = await log.page({ limit: 100, after: first.next!, filter: { task: 'tsk_two' } });
    expect(second).toEqual({ lines: lines.filter(every(1)).slice(7) });
    expect((await log.page({ limit: 100, filter: { task: tasks[2]! } })).lines).toEqual(lines.filter(every(2)));
    expect((await log.page({ limit: 100, filter: { decision: 'dec_3', task: 'tsk_one' } })).lines).toEqual(
      lines.filter((__, index) => index % 12 === 3),
    );
    expect((await log.page({ limit: 100, filter: { from: at(20), to: at(25) } })).lines).toEqual(lines.slice(20, 25));
    expect((await log.page({ limit: 100, filter: { workload: 'tsk_one' } })).lines).toEqual([]);
    expect((await log.page({ limit: 100, filter: { type: 'task.opened' } })).lines).toEqual([]);
  });

  it('a page over a long log looks at a bounded number of lines, and finds a time without reading what lies before', async () => {
    const log = setting.open();
    const start = clock.now();
    const day = 86_400_000;
    await Promise.all(
      numbers(20_000).map((reason, index) => log.append(entry(reason, { at: start + index * 60_000 }))),
    );
    const sparse = await log.page({ limit: 10, filter: { task: 'none' } });
    expect(sparse).toEqual({ lines: [], next: 5_000 });
    const early = await log.page({ limit: 10, filter: { task: 'none', to: start + day } });
    expect(early).toEqual({ lines: [] });
    const late = await log.page({ limit: 1, filter: { from: start + 10 * day } });
    expect(late.lines).toEqual([(await setting.lines())[14_400]]);
  });
});

describe('when the store fails', () => {
  it('whatever becomes of a commit and its answer, no entry is lost and none stands twice', async () => {
    const fates = fc.array(fc.constantFrom<Fate>('done', 'lost', 'refused', 'late'), { minLength: 4, maxLength: 24 });
    await fc.assert(
      fc.asyncProperty(fates, fates, async (one, other) => {
        const clock = handClock();
        const store = modelStore(clock);
        const setting = await auditSetting(store, clock);
        const logs = [one, other].map((plan) =>
          setting.open({ records: unreliable(store.records, () => plan.shift() ?? 'done') }),
        );
        const wanted = numbers(12);
        for (let at = 0; at < wanted.length; at += 4) {
          const now = wanted.slice(at, at + 4);
          await Promise.all(now.map((reason, index) => logs[index % 2]!.append(entry(reason))));
        }
        expect((await setting.reasons()).sort()).toEqual([...wanted].sort());
        await setting.expectWhole();
      }),
      { numRuns: 25 },
    );
  });

  it('for too long, what waits is refused as temporarily unavailable, and what comes later is taken', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const setting = await auditSetting(store, clock);
    let fate: Fate = 'refused';
    const log = setting.open({ records: unreliable(store.records, () => fate), giveUpAfterMs: 30 });
    const results = await Promise.allSettled(numbers(3).map((reason) => log.append(entry(reason))));
    for (const result of results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'temporarily_unavailable' } });
    }
    fate = 'done';
    await log.append(entry('later'));
    expect(await setting.reasons()).toEqual(['later']);
  });

  it('what was given up may still get in, once, and breaks nothing', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const setting = await auditSetting(store, clock);
    const fates: Fate[] = ['late'];
    const log = setting.open({ records: unreliable(store.records, () => fates.shift() ?? 'done'), giveUpAfterMs: -1 });
    await expect(log.append(entry('given up'))).rejects.toMatchObject({ code: 'temporarily_unavailable' });
    await setting.open({ records: unreliable(store.records, () => 'done') }).append(entry('another broker'));
    await log.append(entry('later')).catch(() => log.append(entry('later')));
    expect((await setting.reasons()).filter((reason) => reason === 'later')).toHaveLength(1);
    await setting.expectWhole();
  });

  it('with a head that cannot be read nothing is appended', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const setting = await auditSetting(store, clock);
    const down = { ...store.records, read: () => Promise.reject(new StoreUnavailable('down')) };
    await expect(setting.open({ records: down, giveUpAfterMs: 0 }).append(entry('x'))).rejects.toMatchObject({
      code: 'temporarily_unavailable',
    });
    await store.records.commit({ put: [['audit/head', '{"seq":"damaged"}']] });
    await expect(setting.open({ giveUpAfterMs: 0 }).append(entry('x'))).rejects.toMatchObject({
      code: 'temporarily_unavailable',
    });
  });

  it('an entry that does not fit the schema is a bug of the caller and reaches nobody else', async () => {
    const clock = handClock();
    const setting = await auditSetting(modelStore(clock), clock);
    const log = setting.open();
    const bad = log.append({ ...entry('x'), token: 'eyJ.a.b' } as never);
    const good = log.append(entry('good'));
    await expect(bad).rejects.toThrow(/token/);
    await good;
    expect(await setting.reasons()).toEqual(['good']);
  });
});
