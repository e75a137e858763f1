/** Every revocation is attributable, and no secret that somebody pasted is kept. */
import { describe, expect, it } from '@jest/globals';
import type { Effect, Selector } from '../../../src/domain/selector.js';
import { handClock } from '../../support/clock.js';
import { modelStore } from '../../support/search/model-store.js';
import { refusal } from '../../support/refusal-code.js';
import { AGENT, OPERATOR, wholeBroker } from '../../support/brokers/use-cases.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';
import { socOf, soc, preview, why } from '../../support/revoking.js';
import { heartbeat, revokeBySelector } from '../../support/verbs.js';

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

  it('that is nothing of ours is refused, nothing is published, and it is kept nowhere', async () => {
    const clock = handClock();
    const store = modelStore(clock);
    const broker = await wholeBroker({ store, clock });
    for (const leaked of ['AKIAIOSFODNN7EXAMPLE', 'eyJhbGciOiJub25lIn0.e30.', 'correct horse battery staple']) {
      expect(await refusal(revokeBySelector(broker.deps, broker.operator, { what: { leaked }, ...why }))).toBe(
        'invalid_request',
      );
      const { records, entries } = store.snapshotState();
      expect(entries).toEqual([]);
      expect(JSON.stringify([[...records], entries])).not.toContain(leaked);
    }
  });
});

describe('G7: everything is attributable', () => {
  it('a revocation that cannot be meant is refused, and in the log', async () => {
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

  it('a token that somebody pasted into a reason is kept nowhere', async () => {
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

  it('grants, refusals, openings, revocations, previews and inactive answers each say who, what and on what proof', async () => {
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
