/** An acknowledged revocation is in force: by every selector with every effect, by one publication, whatever else fails. */
import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTask } from '../../../src/tasks/open-task.js';
import { countReceipts, followReceipts } from '../../../src/ledger/follow-receipts.js';
import { readReceipt } from '../../../src/ledger/receipts.js';
import { returnToken } from '../../../src/credentials/return-token.js';
import { sweep } from '../../../src/tasks/sweep.js';
import { StoreUnavailable, type Store } from '../../../src/store/store.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';
import { refusal } from '../../support/refusal-code.js';
import { AGENT, wholeBroker } from '../../support/brokers/use-cases.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';
import { socOf, soc, oneThatHangsOnEverything, FITTING } from '../../support/revoking.js';
import { heartbeat, completeTask, liftHold, resumeTask, suspendTask } from '../../support/verbs.js';

describe('G5: acknowledged means dead', () => {
  describe('everything that hangs on the selector is refused at once', () => {
    it.each(FITTING)('by %s with %s', async (kind, effect) => {
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
  });

  it('after a cutoff a new birth is possible, after a hold only once it is lifted, and the dead stay dead', async () => {
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
  it('completion, deadline, heartbeats, operator, holder and suspension each leave one entry in the one log', async () => {
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
    await returnToken(deps, agent, { token: accessTokenOf(returned.minted.material), requestId: 'r' });
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

  it('in all of the source one file publishes', () => {
    const publishing = sources('src').filter((file) => /\blog\.publish\(/.test(readFileSync(file, 'utf8')));
    expect(publishing.sort()).toEqual([
      'src/compose/instrument-store.ts', // timed, handed through
      'src/ledger/revocation-log.ts', // the log itself, handed through
      'src/ledger/revoke.ts',
      'src/store/redis/rehearse.ts', // tries the rights, in a log of its own
    ]);
  });
});

describe('G4: mass revocation is one write', () => {
  it('one publication and at most two writes of bookkeeping, for one credential or for three hundred', async () => {
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
  it('a store that takes no records still takes revocations, and they are dead at once', async () => {
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

  it('records that cannot even be read do not stop it', async () => {
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

const sources = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((one) =>
    one.isDirectory() ? sources(join(directory, one.name)) : [join(directory, one.name)],
  );

const counting = (store: Store, writes: { publish: number; commit: number }): Store => ({
  ...store,
  records: { ...store.records, commit: (change) => ((writes.commit += 1), store.records.commit(change)) },
  log: { ...store.log, publish: (publication) => ((writes.publish += 1), store.log.publish(publication)) },
});
