/** What SOC teams do: every selector with every effect, previews, counts, and what revocation does not depend on. */
import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exchange } from '../../../src/credentials/exchange.js';
import { openTask } from '../../../src/tasks/open-task.js';
import { effectFits, EFFECTS, SELECTOR_KINDS, type Effect, type Selector } from '../../../src/domain/selector.js';
import { countReceipts, followReceipts } from '../../../src/ledger/follow-receipts.js';
import { countImpact } from '../../../src/ledger/impact.js';
import { liftIndex, receiptKey } from '../../../src/ledger/keys.js';
import { listReceipts, readReceipt } from '../../../src/ledger/receipts.js';
import { liftDueHolds } from '../../../src/revocation/receipts.js';
import { revokeHeldToken } from '../../../src/credentials/return-token.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { sweep } from '../../../src/tasks/sweep.js';
import { StoreUnavailable, type Store } from '../../../src/store/store.js';
import type { AuthenticatedCaller } from '../../../src/identity/proof.js';
import { proven } from '../../support/brokers/stubbed.js';
import { handClock } from '../../support/clock.js';
import { modelStore, type ModelState } from '../../support/search/model-store.js';
import { refusal, withPersons } from '../../support/refusal-code.js';
import { AGENT, lmdbStore, OPERATOR, TARGET, wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';
import {
  heartbeat,
  completeTask,
  liftHold,
  previewRevocation,
  revokeBySelector,
  resumeTask,
  suspendTask,
} from '../../support/verbs.js';

const why = { reason: 'test', requestId: 'r' };
/** Of another issuer and team, so that nothing it revokes locks it out. */
const socOf = ({ clock }: WholeBroker): AuthenticatedCaller => {
  const { party, ...proof } = proven('ops:soc', clock);
  return { ...proof, party: { ...party, issuer: 'ops', owner: 'security' } };
};
const soc = (broker: WholeBroker, what: Selector, effect?: Effect, over: { liftAt?: number } = {}) =>
  revokeBySelector(broker.deps, socOf(broker), { what, ...(effect && { effect }), ...why, ...over });
const preview = (broker: WholeBroker, what: Selector, effect?: Effect) =>
  previewRevocation(broker.deps, socOf(broker), { what, ...(effect && { effect }), ...why });

const asking = {
  subject: { token: AGENT, type: 'urn:ietf:params:oauth:token-type:jwt' },
  target: TARGET,
  access: [{ path: 'incident/4711', actions: ['read'] }],
  askedAsScope: true,
  under: { purpose: 'triage' },
  requestId: 'r',
};

/** A broker with an issuer of persons, and a credential that hangs on everything there is to hang on. */
async function oneThatHangsOnEverything() {
  const { settings } = (await wholeBroker()).deps;
  const broker = await wholeBroker({ settings: withPersons(settings) });
  const parent = await broker.open({ principal: 'staff:ada' });
  const { task } = await broker.open({ parent: parent.task.id, heartbeat: { intervalSeconds: 60, missesAllowed: 3 } });
  const issued = await broker.under(task.id);
  const values: Record<Selector['kind'], string[]> = {
    credential: [issued.credential.id],
    task: [task.id, parent.task.id],
    workload: [AGENT, OPERATOR],
    principal: ['staff:ada'],
    issuer: ['lab', 'staff'],
    owner: ['sre'],
    target: [TARGET],
    all: [''],
  };
  return { broker, task, issued, values };
}

const FITTING = SELECTOR_KINDS.flatMap((kind) =>
  EFFECTS.filter((effect) => effectFits(kind, effect)).map((effect) => [kind, effect] as const),
);

describe('G5: acknowledged means dead', () => {
  it.each(FITTING)('G5: by %s with %s, every value it hangs on', async (kind, effect) => {
    const count = (await oneThatHangsOnEverything()).values[kind].length;
    for (let which = 0; which < count; which += 1) {
      const { broker, task, issued, values } = await oneThatHangsOnEverything();
      expect(await broker.isActive(issued)).toBe(true);
      await soc(broker, { kind, value: values[kind][which] ?? '' }, effect);
      expect(await broker.isActive(issued)).toBe(false);

      const asked = { taskId: task.id, requestId: 'r' };
      const closed = kind !== 'credential' && effect !== 'cutoff';
      const outcomes = [
        await refusal(broker.under(task.id)),
        await refusal(
          openTask(broker.deps, broker.agent, { workload: AGENT, purpose: 'x', parent: task.id, requestId: 'r' }),
        ),
      ];
      // A cutoff kills what was born before, the target of a credential is no cause of its task.
      const taskLives = kind === 'credential' || kind === 'target';
      if (closed)
        expect(outcomes).toEqual([
          expect.not.stringMatching('granted'),
          taskLives ? 'granted' : expect.not.stringMatching('granted'),
        ]);
      if (effect === 'cutoff' && !taskLives) expect(outcomes).not.toContain('granted');
      const beat = await heartbeat(broker.deps, broker.agent, asked).then(
        ({ state }) => state,
        () => 'refused',
      );
      expect(beat === 'open').toBe(taskLives);
    }
  });

  it('G5: after a cutoff a new birth is possible, after a hold only once it is lifted, and the dead stay dead', async () => {
    const broker = await wholeBroker();
    const what = { kind: 'owner', value: 'sre' } as const;
    const first = await broker.exchange();
    await soc(broker, what, 'cutoff');
    expect(await refusal(broker.exchange())).toBe('access_denied');
    broker.clock.advance(120_000); // the identity token is now younger than the cutoff
    const second = await broker.exchange();
    expect([await broker.isActive(first), await broker.isActive(second)]).toEqual([false, true]);
    const { seq } = await soc(broker, what, 'hold');
    expect(await refusal(broker.exchange())).toBe('access_denied');
    await liftHold(broker.deps, socOf(broker), { seq, requestId: 'r' });
    expect(await broker.isActive(second)).toBe(false);
    expect(await refusal(broker.exchange())).toBe('granted');
  });
});

describe('G3: one revoke primitive', () => {
  it('G3: completion, deadline, heartbeats, operator, holder and suspension each leave one entry in the one log', async () => {
    const broker = await wholeBroker();
    const { deps, operator, agent } = broker;
    const beats = { intervalSeconds: 1, missesAllowed: 1 };
    const [done, overdue, silent, asleep, killed] = await Promise.all([
      broker.open(),
      broker.open({ deadlineSeconds: 60 }),
      broker.open({ heartbeat: beats }),
      broker.open(),
      broker.open(),
    ]);
    const returned = await broker.exchange();
    await completeTask(deps, operator, { taskId: done.task.id, outcome: 'completed', requestId: 'r' });
    await suspendTask(deps, operator, { taskId: asleep.task.id, requestId: 'r' });
    await resumeTask(deps, operator, { taskId: asleep.task.id, requestId: 'r' });
    await soc(broker, { kind: 'task', value: killed.task.id });
    await revokeHeldToken(deps, agent, accessTokenOf(returned.minted.material));
    broker.clock.advance(60_000);
    await sweep(deps.ledger);
    const entries = await broker.store.log.entries(0, 100);
    expect(entries.map(({ selector, effect, outcome }) => [selector.value, effect, outcome]).sort()).toEqual(
      [
        [done.task.id, 'end', 'completed'],
        [asleep.task.id, 'hold', undefined],
        [asleep.task.id, 'lift', undefined],
        [killed.task.id, 'end', 'revoked'],
        [returned.credential.id, 'end', 'revoked'],
        [overdue.task.id, 'end', 'expired'],
        [silent.task.id, 'end', 'expired'],
      ].sort(),
    );
  });

  it('G3: in all of the source one file publishes', () => {
    const publishing = sources('src').filter((file) => /\blog\.publish\(/.test(readFileSync(file, 'utf8')));
    expect(publishing.sort()).toEqual([
      'src/compose/instrument-store.ts', // timed, handed through
      'src/ledger/revocation-log.ts', // the log itself, handed through
      'src/ledger/revoke.ts',
    ]);
  });
});

describe('G4: mass revocation is one write', () => {
  it('G4: one publication and at most two writes of bookkeeping, for one credential or for three hundred', async () => {
    for (const size of [1, 300]) {
      const clock = handClock();
      const writes = { publish: 0, commit: 0 };
      const store = counting(modelStore(clock), writes);
      const broker = await wholeBroker({ store, clock });
      const issued = await Promise.all(Array.from({ length: size }, () => broker.exchange()));
      Object.assign(writes, { publish: 0, commit: 0 });
      await soc(broker, { kind: 'workload', value: AGENT });
      expect(writes.publish).toBe(1);
      expect(writes.commit).toBeLessThanOrEqual(2);
      const sample = issued.filter((_, index) => index % 50 === 0);
      expect(new Set(await Promise.all(sample.map(broker.isActive)))).toEqual(new Set([false]));
    }
  });
});

describe('G6: the power to revoke outlives everything else', () => {
  it('G6: a store that takes no records still takes revocations, and they are dead at once', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    let full = false;
    const records: Store['records'] = {
      ...store.records,
      commit: (change) => (full ? Promise.reject(new StoreUnavailable('full')) : store.records.commit(change)),
    };
    const broker = await wholeBroker({ store: { ...store, records }, clock });
    const issued = await broker.exchange();
    full = true;
    const receipt = await soc(broker, { kind: 'workload', value: AGENT });
    expect(receipt).toMatchObject({ seq: 1, effect: 'hold' });
    expect(await broker.isActive(issued)).toBe(false);
    full = false;
    await followReceipts(broker.deps.ledger);
    await countReceipts(broker.deps.ledger);
    expect((await readReceipt(broker.deps.ledger, 1))?.affected).toMatchObject({ credentials: 1, tasks: 1 });
    expect((await broker.audited()).filter(({ type }) => type === 'revocation.published')).toHaveLength(1);
  });

  it('G6: records that cannot even be read do not stop it', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broker = await wholeBroker({ store, clock });
    const { credential } = await broker.exchange();
    const away = () => Promise.reject(new StoreUnavailable('away'));
    const records = { read: away, commit: away, range: away, count: away };
    const blind = { ...broker, deps: { ...broker.deps, ledger: { ...broker.deps.ledger, records } } };
    const receipt = await soc(blind, { kind: 'credential', value: credential.id });
    expect(receipt.affected).toBeUndefined();
    expect(await store.log.entries(0, 10)).toHaveLength(1);
  });
});

describe('G8: truthful effect', () => {
  it.each(FITTING)('G8: the preview of %s with %s tells what the revocation then does', async (kind, effect) => {
    const { broker, values } = await oneThatHangsOnEverything();
    await broker.exchange(); // of the agent alone, for itself
    for (const value of values[kind].slice(0, 1)) {
      const { affected } = await preview(broker, { kind, value }, effect);
      expect((await soc(broker, { kind, value }, effect)).affected).toEqual(affected);
      expect(affected.credentials).toBeGreaterThan(0);
      const again = await preview(broker, { kind, value }, effect);
      expect(again.affected.credentials).toBe(0);
    }
  });

  it('G8: what it counts is what dies, by target and owner', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    const issued = await Promise.all([broker.under(task.id), broker.under(task.id), broker.exchange()]);
    await revokeHeldToken(broker.deps, broker.agent, accessTokenOf(issued[0].minted.material));
    const before = (await Promise.all(issued.map(broker.isActive))).filter(Boolean).length;
    const { affected } = await soc(broker, { kind: 'issuer', value: 'lab' });
    const now = (await Promise.all(issued.map(broker.isActive))).filter(Boolean).length;
    expect(affected).toMatchObject({ credentials: before - now, byTarget: { [TARGET]: 2 }, byOwner: { sre: 2 } });
  });

  it('G8: an unknown value hits nothing, and is no error', async () => {
    const broker = await wholeBroker();
    await broker.exchange();
    expect((await soc(broker, { kind: 'workload', value: 'lab:nobody' })).affected).toMatchObject({
      credentials: 0,
      tasks: 0,
    });
    expect((await soc(broker, { kind: 'task', value: 'tsk_aabbbbbbbbbbbbbb' })).affected).toMatchObject({ tasks: 0 });
  });

  it('G8: a preview writes nothing but its audit entry', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broker = await wholeBroker({ store, clock });
    const issued = await broker.exchange();
    const unaudited = ({ records, ...rest }: ModelState) => ({
      ...rest,
      indexes: [...rest.indexes].filter(([key]) => !key.startsWith('audit/')),
      records: [...records].filter(([key]) => !key.startsWith('audit/')),
    });
    const before = unaudited(store.snapshotState());
    for (const [kind, effect] of FITTING) {
      const value = { credential: issued.credential.id, task: issued.task.id, all: '' }[kind as string] ?? 'x';
      await preview(broker, { kind, value }, effect);
    }
    expect(unaudited(store.snapshotState())).toEqual(before);
    expect((await broker.audited()).filter(({ type }) => type === 'revocation.previewed')).toHaveLength(FITTING.length);
    expect(await broker.isActive(issued)).toBe(true);
  });

  it('G8: above 256 tasks the answer does not wait for the count; the count is exact when it comes', async () => {
    const clock = handClock();
    const broker = await wholeBroker({ store: modelStore(clock), clock });
    await Promise.all(Array.from({ length: 300 }, () => broker.exchange()));
    const what = { kind: 'workload', value: AGENT } as const;
    const { affected } = await preview(broker, what);
    const receipt = await soc(broker, what);
    expect(receipt.affected).toBeUndefined();
    // What is revoked, or expires, before it is counted does not change what this one did.
    await soc(broker, { kind: 'all', value: '' });
    await countReceipts(broker.deps.ledger);
    expect((await readReceipt(broker.deps.ledger, receipt.seq))?.affected).toEqual(affected);
    expect((await readReceipt(broker.deps.ledger, receipt.seq + 1))?.affected).toMatchObject({ credentials: 0 });
  });

  it('G8: a receipt is never that of another revocation which had its number in a log that was lost', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broker = await wholeBroker({ store, clock });
    await soc(broker, { kind: 'workload', value: AGENT });
    const { records, indexes, ...rest } = store.snapshotState();
    const lost = { ...rest, tombstones: new Map(), entries: [], published: new Map(), generation: undefined };
    store.rewind({ ...lost, records, indexes });
    const { seq } = await soc(broker, { kind: 'owner', value: 'web' });
    expect((await readReceipt(broker.deps.ledger, seq))?.selector).toEqual({ kind: 'owner', value: 'web' });
    const lifted = await liftHold(broker.deps, broker.operator, { seq, requestId: 'r' });
    expect(lifted.lifted).toBe(seq + 1);
  });

  it('G8: is counted as it was, also where a later revocation hit the same', async () => {
    const broker = await wholeBroker();
    await broker.exchange();
    const { ledger } = broker.deps;
    const by = { effect: 'hold', reason: 'r', actor: 'soc' } as const;
    const { selector, at, seq, before } = await revoke(ledger, { selector: { kind: 'workload', value: AGENT }, ...by });
    await revoke(ledger, { selector: { kind: 'target', value: TARGET }, ...by });
    expect((await countImpact(ledger, { selector, at, published: { seq, before } })).credentials).toBe(1);
  });
});

describe('holds', () => {
  it('with "until" are lifted by the sweep of any broker, once', async () => {
    const broker = await wholeBroker();
    const { ledger } = broker.deps;
    const { seq } = await soc(broker, { kind: 'target', value: TARGET }, 'hold', {
      liftAt: broker.clock.now() + 60_000,
    });
    broker.clock.advance(59_999);
    await liftDueHolds(ledger);
    expect(await refusal(broker.exchange())).toBe('access_denied');
    broker.clock.advance(1);
    await Promise.all([liftDueHolds(ledger), liftDueHolds(ledger)]);
    await liftDueHolds(ledger);
    expect(await refusal(broker.exchange())).toBe('granted');
    expect((await broker.store.log.entries(0, 10)).map(({ effect }) => effect)).toEqual(['hold', 'lift']);
    expect((await readReceipt(ledger, seq))?.lifted).toBe(2);
  });

  it('two need two lifts, and a lift needs a hold', async () => {
    const broker = await wholeBroker();
    const what = { kind: 'target', value: TARGET } as const;
    const [one, two] = [await soc(broker, what), await soc(broker, what)];
    const lifting = (seq: number) => liftHold(broker.deps, broker.operator, { seq, requestId: 'r' });
    await lifting(one.seq);
    expect(await refusal(broker.exchange())).toBe('access_denied');
    expect(await refusal(lifting(one.seq))).toBe('conflict');
    await lifting(two.seq);
    expect(await refusal(broker.exchange())).toBe('granted');
    expect(await refusal(lifting(99))).toBe('not_found');
    expect(await refusal(lifting((await soc(broker, what, 'cutoff')).seq))).toBe('conflict');
  });

  it('that are gone do not stand in the way of those that are due', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broker = await wholeBroker({ store, clock });
    await soc(broker, { kind: 'target', value: TARGET }, 'hold', { liftAt: clock.now() + 1_000 });
    store.rewind({ ...store.snapshotState(), tombstones: new Map() });
    clock.advance(2_000);
    await liftDueHolds(broker.deps.ledger);
    expect(await store.records.count(liftIndex)).toBe(0);
  });
});

describe('receipts', () => {
  it('are made by the next broker when one died between publication and receipt', async () => {
    const clock = handClock();
    const store = await lmdbStore(clock);
    const broker = await wholeBroker({ store, clock });
    await broker.exchange();
    const selector = { kind: 'workload', value: AGENT } as const;
    await revoke(broker.deps.ledger, { selector, effect: 'hold', reason: 'r', actor: 'soc' });
    expect(await listReceipts(broker.deps.ledger, 0, 10)).toEqual([]);
    await followReceipts(broker.deps.ledger);
    await countReceipts(broker.deps.ledger);
    expect(await listReceipts(broker.deps.ledger, 0, 10)).toMatchObject([{ seq: 1, affected: { credentials: 1 } }]);
  });

  it('without one yet, a hold is lifted as what it is: policy is asked about its own selector', async () => {
    const broker = await wholeBroker();
    const by = { effect: 'hold', reason: 'r', actor: 'soc' } as const;
    const selector = { kind: 'owner', value: 'web' } as const;
    const { seq } = await revoke(broker.deps.ledger, { selector, ...by });
    const asked: unknown[] = [];
    const policy: typeof broker.deps.policy = {
      ...broker.deps.policy,
      decide: (query) => (asked.push(query.context), broker.deps.policy.decide(query)),
    };
    const lifting = (number: number) =>
      liftHold({ ...broker.deps, policy }, socOf(broker), { seq: number, requestId: 'r' });
    expect((await lifting(seq)).lifted).toBe(seq + 1);
    expect(asked).toMatchObject([{ revocation: { ...selector, effect: 'lift' } }]);
    await expect(lifting(99)).rejects.toMatchObject({ code: 'not_found' });
    expect(asked[1]).toMatchObject({ revocation: { kind: 'all', effect: 'lift' } });
  });

  it('lifting waits for no count', async () => {
    const clock = handClock();
    const broker = await wholeBroker({ store: modelStore(clock), clock });
    await Promise.all(Array.from({ length: 300 }, () => broker.exchange()));
    const { seq } = await soc(broker, { kind: 'workload', value: AGENT });
    const lifted = await liftHold(broker.deps, socOf(broker), { seq, requestId: 'r' });
    expect(lifted).toMatchObject({ lifted: seq + 1 });
    expect(lifted.affected).toBeUndefined();
    await countReceipts(broker.deps.ledger);
    expect((await readReceipt(broker.deps.ledger, seq))?.affected).toMatchObject({ credentials: 300 });
  });

  it('count an owner whatever its name', async () => {
    const broker = await wholeBroker();
    const owners = ['constructor', 'toString', 'hasOwnProperty'];
    for (const owner of owners) {
      const { party, ...proof } = proven(AGENT, broker.clock);
      const identify = () => Promise.resolve({ ...proof, party: { ...party, owner } });
      await exchange({ ...broker.deps, identify }, asking);
    }
    const { seq } = await soc(broker, { kind: 'all', value: '' });
    const counted = Object.fromEntries(owners.map((owner) => [owner, 1]));
    expect((await readReceipt(broker.deps.ledger, seq))?.affected?.byOwner).toEqual(counted);
  });

  it('that cannot be read stop neither the list, nor what is due, nor the counting of the others', async () => {
    const broker = await wholeBroker();
    const { clock, store, deps } = broker;
    const until = { liftAt: clock.now() + 1_000 };
    const damaged = await soc(broker, { kind: 'target', value: 'https://one.example' }, 'hold', until);
    const whole = await soc(broker, { kind: 'target', value: 'https://two.example' }, 'hold', until);
    await store.records.commit({ put: [[receiptKey(damaged.seq), '{"seq":"damaged"}']] });
    expect(await listReceipts(deps.ledger, 0, 10)).toMatchObject([{ seq: whole.seq }]);
    clock.advance(2_000);
    await expect(liftDueHolds(deps.ledger)).rejects.toThrow('1 of 2 failed');
    expect((await readReceipt(deps.ledger, whole.seq))?.lifted).toBe(3);
    const next = await revoke(deps.ledger, {
      selector: { kind: 'target', value: TARGET },
      effect: 'hold',
      ...why,
      actor: 'soc',
    });
    await followReceipts(deps.ledger);
    await countReceipts(deps.ledger);
    expect((await readReceipt(deps.ledger, next.seq))?.affected).toBeDefined();
  });

  it('that cannot be read are made anew from the log as long as it is followed', async () => {
    const { deps, store } = await wholeBroker();
    const selector = { kind: 'target', value: TARGET } as const;
    const { seq } = await revoke(deps.ledger, { selector, effect: 'hold', reason: 'r', actor: 'soc' });
    await store.records.commit({ put: [[receiptKey(seq), 'damaged']] });
    await followReceipts(deps.ledger);
    expect((await readReceipt(deps.ledger, seq))?.selector).toEqual(selector);
  });
});

describe('a leaked string', () => {
  it('ends the credential it is, pasted with whatever came along', async () => {
    const broker = await wholeBroker();
    for (const pasted of [(token: string) => token, (token: string) => ` ${token}\r\n`]) {
      const issued = await broker.exchange();
      const what = { leaked: pasted(accessTokenOf(issued.minted.material)) };
      const { affected } = await revokeBySelector(broker.deps, broker.operator, { what, ...why });
      expect(affected?.credentials).toBe(1);
      expect(await broker.isActive(issued)).toBe(false);
    }
  });

  it('that is nothing of ours hits nothing, and is kept nowhere', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broker = await wholeBroker({ store, clock });
    for (const leaked of ['AKIAIOSFODNN7EXAMPLE', 'eyJhbGciOiJub25lIn0.e30.', 'correct horse battery staple']) {
      const { affected } = await revokeBySelector(broker.deps, broker.operator, { what: { leaked }, ...why });
      expect(affected?.credentials).toBe(0);
      const { records, entries } = store.snapshotState();
      expect(JSON.stringify([[...records], entries])).not.toContain(leaked);
    }
  });
});

describe('G7: everything is attributable', () => {
  it('G7: a revocation that cannot be meant is refused, and in the log', async () => {
    const broker = await wholeBroker();
    const mistakes: [Selector, Effect?][] = [
      [{ kind: 'workload', value: ' ' }],
      [{ kind: 'task', value: 'tsk_x' }],
      [{ kind: 'all', value: 'x' }],
      [{ kind: 'workload', value: AGENT }, 'end'],
      [{ kind: 'workload', value: 'eyJhbGciOiJub25lIn0.e30.' }], // a token: it is to be sent as leaked
    ];
    for (const [what, effect] of mistakes) expect(await refusal(soc(broker, what, effect))).toBe('invalid_request');
    expect((await broker.audited()).filter(({ verb }) => verb === 'revoke')).toHaveLength(mistakes.length);
    expect(await broker.store.log.entries(0, 10)).toEqual([]);
  });

  it('G7: a token that somebody pasted into a reason is kept nowhere', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broker = await wholeBroker({ store, clock });
    const { minted } = await broker.exchange();
    const what = { leaked: accessTokenOf(minted.material) };
    const reason = `found ${accessTokenOf(minted.material)} in a gist`;
    const receipt = await revokeBySelector(broker.deps, socOf(broker), {
      what,
      ticket: reason,
      reason,
      requestId: 'r',
    });
    expect([receipt.reason, receipt.ticket]).toEqual(Array(2).fill('found [token removed] in a gist'));
    await broker.audited();
    const { records, entries } = store.snapshotState();
    expect(JSON.stringify([[...records], entries])).not.toContain(accessTokenOf(minted.material).split('.')[2]);
  });

  it('G7: grants, refusals, openings, revocations, previews and inactive answers each say who, what and on what proof', async () => {
    const broker = await wholeBroker();
    const { deps, agent } = broker;
    const { task } = await broker.open();
    const issued = await broker.under(task.id);
    await refusal(broker.under('tsk_aabbbbbbbbbbbbbb'));
    await preview(broker, { kind: 'workload', value: AGENT });
    await soc(broker, { kind: 'workload', value: AGENT });
    await broker.isActive(issued);
    await refusal(heartbeat(deps, agent, { taskId: task.id, requestId: 'r' }));
    const events = await broker.audited();
    const by = (id: string) => expect.objectContaining({ id }) as object;
    expect(events).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'task.opened', task: task.id, actor: by(OPERATOR), proofHash: 'proof' }),
        expect.objectContaining({
          type: 'credential.granted',
          credential: issued.credential.id,
          actor: by(AGENT),
          proofHash: 'proof',
        }),
        expect.objectContaining({ type: 'credential.refused', error: 'invalid_grant', actor: by(AGENT) }),
        expect.objectContaining({ type: 'revocation.previewed', actor: by('ops:soc') }),
        expect.objectContaining({ type: 'revocation.published', actor: by('ops:soc'), reason: 'test' }),
        expect.objectContaining({
          type: 'introspection.inactive',
          credential: issued.credential.id,
          actor: by('lab:api'),
        }),
        expect.objectContaining({
          type: 'operation.refused',
          verb: 'heartbeat',
          error: 'access_denied',
          actor: by(AGENT),
        }),
      ]),
    );
  });
});

const sources = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((one) =>
    one.isDirectory() ? sources(join(directory, one.name)) : [join(directory, one.name)],
  );

const counting = (store: Store, writes: { publish: number; commit: number }): Store => ({
  ...store,
  records: { ...store.records, commit: (change) => ((writes.commit += 1), store.records.commit(change)) },
  log: { ...store.log, publish: (publication) => ((writes.publish += 1), store.log.publish(publication)) },
});
