/** A reconciler in sync reads little. It still notices everything that matters, and writes only while its lease lasts. */
import { expect, it } from '@jest/globals';
import { cause } from '../../../src/domain/selector.js';
import { SHARDS } from '../../../src/domain/id.js';
import { changeEnforcement, readEnforcement } from '../../../src/ledger/enforcement.js';
import { enforcementIndex } from '../../../src/ledger/keys.js';
import { handClock } from '../../support/clock.js';
import { memoryAws, ROLE } from '../../support/sessions/memory-aws.js';
import { modelStore } from '../../support/search/model-store.js';
import { FENCED_SECONDS, pass, sessionBroker } from '../../support/brokers/sessions.js';

async function begin() {
  const clock = handClock();
  const aws = memoryAws(clock);
  const store = modelStore(clock);
  const broker = sessionBroker({ store, clock, aws });
  const wait = (seconds: number) => pass(clock, seconds, broker);
  await wait(FENCED_SECONDS);
  const { credential } = await broker.mint('lab:red-1');
  // The reconciler has just looked at everything: for ten seconds it has no reason to do so again.
  await broker.revoke('workload', 'lab:nobody', 'cutoff');
  await wait(2);
  const fence = (): unknown => [aws.document(ROLE)?.Statement].flat()[0]?.Sid;
  return { ...broker, store, clock, aws, wait, fence, session: credential };
}

it('another log with as many entries is noticed at the next run, and all that is older denied', async () => {
  const { store, aws, wait, fence, session, deps } = await begin();
  const seqNow = async () => (await deps.ledger.log.look([cause('target', ROLE)])).epoch.seq;
  const [writes, seq] = [aws.writes(ROLE).length, await seqNow()];
  store.moveHome();
  await wait(1);
  expect([aws.writes(ROLE).length, await seqNow(), fence()]).toEqual([writes + 1, seq, 'r2']);
  await wait(4);
  expect(aws.reads(session.id)).toBe(false);
});

it('a fence that a late writer has raised is noticed at the next run, and the policy is pushed again', async () => {
  const { deps, aws, wait, fence } = await begin();
  const writes = aws.writes(ROLE).length;
  await changeEnforcement(deps.ledger, ROLE, (state) => ({ fence: state.fence + 1, marks: [] }));
  await wait(1);
  expect([aws.writes(ROLE).length, fence()]).toEqual([writes + 1, 'r2']);
  expect((await readEnforcement(deps.ledger, ROLE))?.value.marks).toHaveLength(1);
});

it('a broker that computed for longer than the lease allows begins no write, and computes again', async () => {
  const { store, clock, aws, wait, work, revoke, session } = await begin();
  const { records } = store;
  const writes = aws.writes(ROLE).length;
  const range = records.range.bind(records);
  let looks = 0;
  records.range = (index, by) => {
    if (index === enforcementIndex(SHARDS[0] ?? '')) {
      looks += 1;
      clock.advance(10_001);
    }
    return range(index, by);
  };
  await revoke('credential', session.id, 'end');
  await work();
  expect([looks, aws.writes(ROLE).length]).toEqual([3, writes]);
  records.range = range;
  await wait(5);
  expect([aws.writes(ROLE).length, aws.reads(session.id)]).toEqual([writes + 1, false]);
});
