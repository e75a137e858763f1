/** Brokers die between two steps; answers and records are lost. No session that was never handed out stays usable, and no answer claims more than is true. */
import { describe, expect, it } from '@jest/globals';
import { cause } from '../../../src/domain/selector.js';
import { enforcementKey } from '../../../src/ledger/keys.js';
import { handClock } from '../../support/clock.js';
import { memoryAws, OTHER_ROLE, ROLE, type MintFault } from '../../support/sessions/memory-aws.js';
import { modelStore } from '../../support/search/model-store.js';
import { FENCED_SECONDS, pass, sessionBroker, untilMinted } from '../../support/brokers/sessions.js';

async function begin() {
  const clock = handClock();
  const store = modelStore(clock);
  const aws = memoryAws(clock);
  const broker = sessionBroker({ store, clock, aws });
  await pass(clock, FENCED_SECONDS, broker);
  const again = (node: string) => sessionBroker({ store, clock, aws, node });
  return { ...broker, clock, store, aws, again, pass: (seconds: number) => pass(clock, seconds, broker) };
}

type Stage = Awaited<ReturnType<typeof begin>>;

/** An exchange whose broker dies during it. Only the credential's id in the ledger remains. */
async function abandoned({ mint, aws, store }: Stage, fault: MintFault): Promise<{ id: string }> {
  const { task } = await mint('lab:red-1');
  aws.mintFaults.push(fault);
  const before = idsIn(store);
  void mint('lab:red-1', { taskId: task.id }).catch(() => undefined);
  await untilMinted();
  const id = idsIn(store).find((one) => !before.includes(one));
  if (id === undefined) throw new Error('nothing was reserved');
  return { id };
}

const idsIn = (store: Stage['store']): string[] =>
  [...store.snapshotState().records.keys()].flatMap((key) => /crd_\w+/.exec(key)?.[0] ?? []);

const denied = ({ aws }: Stage, { id }: { id: string }, role = ROLE): boolean =>
  JSON.stringify(aws.document(role)).includes(id.replace('crd_', ''));

describe('what was reserved by a broker that died', () => {
  describe('is given up after a minute, and denied until it could live no more', () => {
    it.each<[string, MintFault]>([
      ['before the request reached AWS', 'never-made'],
      ['after AWS had made it', 'never'],
    ])('where it died %s', async (_, fault) => {
      const stage = await begin();
      const reserved = await abandoned(stage, fault);
      await stage.pass(58);
      expect([denied(stage, reserved), (await stage.end(reserved))?.effect]).toEqual([false, 'pending']);
      await stage.pass(3);
      expect([denied(stage, reserved), (await stage.end(reserved))?.effect]).toEqual([true, 'written']);
      await stage.pass(15);
      expect((await stage.end(reserved))?.effect).toBe('effective');
      await stage.pass(900 - 76 + 58);
      expect(denied(stage, reserved)).toBe(true);
      await stage.pass(70);
      expect(denied(stage, reserved)).toBe(false);
    });
  });

  it('is never said to be dead while it passes', async () => {
    const stage = await begin();
    const reserved = await abandoned(stage, 'never');
    // The cutoff makes the broker push, which denies the reserved session's task long before the reservation counts as lost.
    await stage.revoke('workload', 'lab:blue-1', 'cutoff');
    for (let second = 0; second < 100; second += 1) {
      await stage.pass(1);
      if ((await stage.end(reserved))?.effect === 'effective') expect(stage.aws.reads(reserved.id)).toBe(false);
    }
    expect(stage.aws.reads(reserved.id)).toBe(false);
  });

  it('is given up by whichever broker comes next', async () => {
    const stage = await begin();
    const reserved = await abandoned(stage, 'never');
    const next = stage.again('two');
    await pass(stage.clock, 70, next);
    expect([denied(stage, reserved), stage.aws.reads(reserved.id)]).toEqual([true, false]);
  });
});

describe('an exchange that fails', () => {
  it('after AWS has made the session, whose answer was lost, leaves it denied', async () => {
    const { mint, aws, pass: wait } = await begin();
    aws.mintFaults.push('lost');
    await expect(mint('lab:red-1')).rejects.toThrow('no answer');
    const [id = ''] = aws.made.keys();
    expect(aws.reads(id)).toBe(true);
    await wait(5);
    expect(aws.reads(id)).toBe(false);
  });

  it('between minting and activating, because the audit log takes nothing, leaves it denied', async () => {
    const { mint, deps, aws, pass: wait } = await begin();
    const { audit } = deps;
    deps.audit = { append: () => Promise.reject(new Error('the audit log is full')) };
    await expect(mint('lab:red-1')).rejects.toThrow('the audit log is full');
    deps.audit = audit;
    const [id = ''] = aws.made.keys();
    await wait(5);
    expect(aws.reads(id)).toBe(false);
  });

  it('because AWS surely made nothing leaves no denial and no write', async () => {
    const { mint, aws, pass: wait } = await begin();
    const before = aws.writes(ROLE).length;
    aws.mintFaults.push('refused');
    await expect(mint('lab:red-1')).rejects.toMatchObject({ code: 'temporarily_unavailable' });
    await wait(100);
    expect([aws.writes(ROLE).length, aws.made.size]).toEqual([before, 0]);
  });

  it('because its broker stalled for half a minute after the reservation leaves nothing made, no denial and no write', async () => {
    const { mint, aws, store, clock, pass: wait } = await begin();
    const before = aws.writes(ROLE).length;
    const { records } = store;
    const commit = records.commit.bind(records);
    records.commit = async (change) => {
      const done = await commit(change);
      records.commit = commit;
      clock.advance(30_000);
      return done;
    };
    const refusal = { code: 'temporarily_unavailable', message: expect.stringMatching(/took too long/) };
    await expect(mint('lab:red-1')).rejects.toMatchObject(refusal);
    expect(idsIn(store)).toHaveLength(1);
    await wait(100);
    expect([aws.writes(ROLE).length, aws.made.size]).toEqual([before, 0]);
  });
});

describe('when the ledger has lost records, every role denies all that is older before anything new is minted, which then lives', () => {
  it.each<[string, (stage: Stage) => unknown]>([
    ['its log', ({ store }) => store.moveHome()],
    ['everything', ({ store }) => store.wipe()],
    [
      'what was pushed to its roles',
      ({ store }) =>
        Promise.all(
          [ROLE, OTHER_ROLE].map((role) => store.records.commit({ remove: [enforcementKey(cause('target', role))] })),
        ),
    ],
  ])('when it has lost %s', async (_, lose) => {
    const stage = await begin();
    const { mint, aws, pass: wait } = stage;
    const old = [await mint('lab:red-1'), await mint('lab:red-1', { role: OTHER_ROLE })];
    await lose(stage);
    const reads = () => old.map(({ credential }) => aws.reads(credential.id));
    const attempt = (role: string) => mint('lab:red-1', { role }).catch(() => undefined);
    let born = [await attempt(ROLE), await attempt(OTHER_ROLE)];
    for (let second = 0; second < 30 && born.includes(undefined); second += 1) {
      expect(born).toEqual([undefined, undefined]);
      await wait(1);
      born = [await attempt(ROLE), await attempt(OTHER_ROLE)];
    }
    expect(reads()).toEqual([false, false]);
    await wait(20);
    expect(born.map((one) => one && aws.reads(one.credential.id))).toEqual([true, true]);
  });
});

describe('a role whose policy cannot be written', () => {
  it('is tried again until it can, while other roles are written at once and no answer claims more than is true', async () => {
    const { mint, complete, end, aws, pass: wait } = await begin();
    const here = await mint('lab:red-1');
    const there = await mint('lab:red-1', { taskId: here.task.id, role: OTHER_ROLE });
    aws.failing.add(ROLE);
    await complete(here.task.id);
    await wait(20);
    expect([here, there].map(({ credential }) => aws.reads(credential.id))).toEqual([true, false]);
    expect(await end(here.credential)).toMatchObject({ effect: 'pending', waitsFor: 'target' });
    expect(await end(there.credential)).toEqual({ effect: 'effective' });
    aws.failing.clear();
    await wait(10 + 4);
    expect(aws.reads(here.credential.id)).toBe(false);
    expect((await end(here.credential))?.effect).toBe('written');
  });

  it('gets no new sessions after half a minute, and new ones when it can be written again', async () => {
    const { mint, complete, aws, pass: wait } = await begin();
    const { task } = await mint('lab:red-1');
    aws.failing.add(ROLE);
    await complete(task.id);
    await wait(29);
    await expect(mint('lab:red-1')).resolves.toBeDefined();
    await wait(3);
    await expect(mint('lab:red-1')).rejects.toMatchObject({ code: 'temporarily_unavailable' });
    await expect(mint('lab:red-1', { role: OTHER_ROLE })).resolves.toBeDefined();
    aws.failing.clear();
    await wait(11);
    await expect(mint('lab:red-1')).resolves.toBeDefined();
  });
});
