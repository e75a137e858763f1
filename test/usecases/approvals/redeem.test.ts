/** A request that needs the yes of people: it is asked once, and granted once, exactly as it was approved, by what holds at that moment. */
import { describe, expect, it } from '@jest/globals';
import { cancelApproval } from '../../../src/approvals/cancel.js';
import type { ExchangeRequest } from '../../support/exchanging.js';
import { answered, approvalOf, askingBroker, asks, waitingFor, WRITES_ASK } from '../../support/approvals/asking.js';
import type { WholeBroker } from '../../support/brokers/use-cases.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { engineOf } from '../../support/policy.js';

const WRITE: Partial<ExchangeRequest> = { access: [{ path: 'incident/4711', actions: ['write'] }] };
const write = (broker: WholeBroker, wish: Partial<ExchangeRequest> = {}) => broker.exchange({ ...WRITE, ...wish });
const asked = (broker: WholeBroker, wish: Partial<ExchangeRequest> = {}) => waitingFor(write(broker, wish));

describe('the question', () => {
  it('is a record under a task that is open, and holds what was asked and no token', async () => {
    const broker = await askingBroker();
    const { id, task } = await asked(broker, { lifetimeSeconds: 120 });
    const approval = await approvalOf(broker.deps, id);
    expect(approval).toMatchObject({
      task,
      workload: { id: 'lab:agent' },
      purpose: 'triage',
      asked: {
        target: 'https://tickets.example',
        access: [{ path: 'incident/4711', actions: ['write'] }],
        lifetimeSeconds: 120,
      },
      needs: [{ group: 'sre', approvers: 1 }],
      policies: ['write-asks-sre'],
      lapsesAt: approval.askedAt + 3_600_000,
    });
    const [entry] = (await broker.audited()).filter(({ type }) => type === 'approval.requested');
    expect(entry).toMatchObject({ task, workload: 'lab:agent', approval: { id, groups: ['sre'] } });
  });

  it('is asked once, whether or not the next request names the task', async () => {
    const broker = await askingBroker();
    const first = await asked(broker);
    expect([
      await asked(broker),
      await asked(broker, { under: { taskId: first.task } }),
      await asked(broker, { access: [{ path: 'incident/4711', actions: ['write', 'write'] }] }),
    ]).toEqual([first, first, first]);
  });

  it('is one of several where all ask at once', async () => {
    const broker = await askingBroker();
    const found = await Promise.all(Array.from({ length: 8 }, () => asked(broker)));
    expect(new Set(found.map(({ id }) => id)).size).toBe(1);
  });

  it.each<[string, Partial<ExchangeRequest>]>([
    ['path', { access: [{ path: 'incident/4712', actions: ['write'] }] }],
    ['more access', { access: [{ path: 'incident/*', actions: ['write'] }] }],
    ['another action beside it', { access: [{ path: 'incident/4711', actions: ['read', 'write'] }] }],
    ['lifetime', { lifetimeSeconds: 301 }],
    ['purpose', { under: { purpose: 'triage more' } }],
    ['token type', { tokenType: 'urn:ietf:params:oauth:token-type:access_token' }],
    ['idempotency key', { idempotencyKey: { key: 'other', body: 'other' } }],
    ['workload', { subject: { token: 'lab:other', type: 'urn:ietf:params:oauth:token-type:jwt' } }],
  ])('with another %s is another, and the yes to the first is none to it', async (_, wish) => {
    const broker = await askingBroker();
    const first = await asked(broker);
    await answered(broker.deps, first.id);
    const second = await asked(broker, wish);
    expect(second.id).not.toBe(first.id);
    expect((await write(broker)).credential.approval).toEqual({ id: first.id, groups: ['sre'] });
  });

  it('is not asked about what policy refuses in another part', async () => {
    const no = `@id("no-export") forbid (principal, action == Action::"export", resource);`;
    const broker = await askingBroker({ policies: WRITES_ASK + no });
    const both = write(broker, { access: [{ path: 'incident/4711', actions: ['write', 'export'] }] });
    await expect(both).rejects.toMatchObject({ code: 'access_denied', details: { retry: 'never' } });
  });

  it('goes to the groups of all parts', async () => {
    const broker = await askingBroker({ policies: asks('write', 'sre') + asks('export', 'dpo', '@approvers("2")') });
    const { id } = await asked(broker, { access: [{ path: 'incident/4711', actions: ['read', 'export', 'write'] }] });
    expect((await approvalOf(broker.deps, id)).needs).toEqual([
      { group: 'dpo', approvers: 2 },
      { group: 'sre', approvers: 1 },
    ]);
  });
});

describe('the yes', () => {
  it('grants what was approved once, with a clock that starts then', async () => {
    const broker = await askingBroker();
    const { id, task } = await asked(broker);
    broker.clock.advance(1_000_000);
    await answered(broker.deps, id);
    broker.clock.advance(200_000);
    const issued = await write(broker);
    expect(issued.task.id).toBe(task);
    expect(issued.credential.expiresAt - broker.clock.now()).toBeGreaterThan(298_000);
    expect((await approvalOf(broker.deps, id)).used).toMatchObject({ credential: issued.credential.id });
    const [entry] = (await broker.audited()).filter(({ type }) => type === 'credential.granted');
    expect(entry).toMatchObject({ approval: { id, groups: ['sre'] } });
    expect((await asked(broker)).id).not.toBe(id);
  });

  it('grants one of two that come at once', async () => {
    const broker = await askingBroker();
    const { id } = await asked(broker);
    await answered(broker.deps, id);
    const both = await Promise.allSettled(Array.from({ length: 4 }, () => write(broker)));
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('grants less, and for less time, where people agreed to less', async () => {
    const broker = await askingBroker();
    const wide = { access: [{ path: 'incident/**', actions: ['read', 'write'] }] };
    const { id } = await asked(broker, wide);
    const access = [{ path: 'incident/4711', actions: ['write'] }];
    await answered(broker.deps, id, { access, lifetimeSeconds: 30 });
    const { credential } = await write(broker, wide);
    expect([credential.access, credential.expiresAt - credential.issuedAt]).toEqual([access, 30_000]);
  });

  it.each(['hold', 'cutoff'] as const)(
    'is none once the person is under a %s, and people are asked anew',
    async (effect) => {
      const broker = await askingBroker();
      const { id } = await asked(broker);
      await answered(broker.deps, id);
      const selector = { kind: 'principal', value: 'staff:bo' } as const;
      await revoke(broker.deps.ledger, { id: 'x', selector, effect, reason: 'left', actor: 'test' });
      expect((await asked(broker)).id).not.toBe(id);
      expect((await approvalOf(broker.deps, id)).cancelledAt).toBeDefined();
    },
  );

  it('is none after an address of the person was cut off', async () => {
    const broker = await askingBroker();
    const { id } = await asked(broker);
    const by = { kind: 'person', id: 'staff:bo', issuer: 'staff', claims: { email: 'Bo@example.com' } } as const;
    await answered(broker.deps, id, { by });
    const selector = { kind: 'principal', value: 'email:staff/bo@example.com' } as const;
    await revoke(broker.deps.ledger, { id: 'x', selector, effect: 'cutoff', reason: 'left', actor: 'test' });
    expect((await asked(broker)).id).not.toBe(id);
  });

  it('lapses: asking later asks anew', async () => {
    const broker = await askingBroker();
    const { id } = await asked(broker);
    await answered(broker.deps, id, { usableSeconds: 10 });
    broker.clock.advance(10_000);
    expect((await asked(broker)).id).not.toBe(id);
  });

  it('is of no use once the task is over', async () => {
    const broker = await askingBroker();
    const { id, task } = await asked(broker);
    await answered(broker.deps, id);
    const selector = { kind: 'task', value: task } as const;
    await revoke(broker.deps.ledger, { id: 'x', selector, effect: 'end', reason: 'over', actor: 'test' });
    await expect(write(broker, { under: { taskId: task } })).rejects.toMatchObject({ code: 'invalid_grant' });
    expect((await asked(broker)).task).not.toBe(task);
  });

  it('does not outweigh what policy says when it is used', async () => {
    const broker = await askingBroker();
    const { id } = await asked(broker);
    await answered(broker.deps, id);
    const permit = `@id("anything") permit (principal, action, resource);`;
    broker.deps.policy = await engineOf(`${permit}${WRITES_ASK}
      @id("stop") forbid (principal, action == Action::"write", resource);`);
    await expect(write(broker)).rejects.toMatchObject({ code: 'access_denied', details: { retry: 'never' } });
    broker.deps.policy = await engineOf(permit + asks('write', 'dpo'));
    const other = await asked(broker);
    expect((await approvalOf(broker.deps, other.id)).needs).toEqual([{ group: 'dpo', approvers: 1 }]);
    expect((await approvalOf(broker.deps, id)).cancelledAt).toBeDefined();
  });

  it('of one is not enough once policy wants two', async () => {
    const broker = await askingBroker();
    const { id } = await asked(broker);
    await answered(broker.deps, id);
    broker.deps.policy = await engineOf(
      `@id("anything") permit (principal, action, resource);${asks('write', 'sre', '@approvers("2")')}`,
    );
    const other = await asked(broker);
    expect((await approvalOf(broker.deps, other.id)).needs).toEqual([{ group: 'sre', approvers: 2 }]);
  });

  it('is given back where surely nothing was made', async () => {
    const broker = await askingBroker();
    const { id } = await asked(broker);
    await answered(broker.deps, id);
    const { minters } = broker.deps;
    broker.deps.minters = new Map([['jwt', { kind: 'jwt', mint: () => Promise.reject(new Error('no')) }]]);
    await expect(write(broker)).rejects.toThrow('no');
    broker.deps.minters = minters;
    expect((await write(broker)).credential.approval).toEqual({ id, groups: ['sre'] });
  });
});

describe('a no', () => {
  it('is the answer to the same request until its record goes', async () => {
    const broker = await askingBroker();
    const { id, task } = await asked(broker);
    await answered(broker.deps, id, { says: 'deny', reason: 'not now' });
    for (const under of [{ purpose: 'triage' }, { taskId: task }]) {
      const refused = write(broker, { under });
      await expect(refused).rejects.toMatchObject({
        code: 'access_denied',
        details: { retry: 'never', approval: { id } },
      });
    }
  });

  it('cannot be taken back, so that the same could be asked again', async () => {
    const broker = await askingBroker();
    const { id } = await asked(broker);
    await answered(broker.deps, id, { says: 'deny', reason: 'not now' });
    await cancelApproval(broker.deps, await approvalOf(broker.deps, id), { caller: broker.agent, requestId: 'r' });
    await expect(write(broker)).rejects.toMatchObject({ code: 'access_denied', details: { approval: { id } } });
    expect((await broker.audited()).map(({ type }) => type)).not.toContain('approval.cancelled');
  });
});

describe('a yes for the rest of the task', () => {
  const REUSE = asks('write', 'sre', '@reuse("task")');
  const INCIDENT = { access: [{ path: 'incident/4711/**', actions: ['write'] }] };
  const note = (taskId: string) => ({
    access: [{ path: 'incident/4711/note', actions: ['write'] }],
    under: { taskId },
  });

  it('grants again what it covers, beyond the time in which it had to be used', async () => {
    const broker = await askingBroker({ policies: REUSE });
    const { id, task } = await asked(broker, INCIDENT);
    await answered(broker.deps, id);
    await write(broker, INCIDENT);
    broker.clock.advance(1_000_000);
    for (const wish of [{ ...INCIDENT, under: { taskId: task } }, note(task), note(task)])
      expect((await write(broker, wish)).credential.approval?.id).toBe(id);
  });

  it.each<[string, Partial<ExchangeRequest>]>([
    ['what it does not cover', { access: [{ path: 'incident/4712/note', actions: ['write'] }] }],
    ['another task', { under: { purpose: 'another' } }],
  ])('is none for %s', async (_, wish) => {
    const broker = await askingBroker({ policies: REUSE });
    const { id, task } = await asked(broker, INCIDENT);
    await answered(broker.deps, id);
    await write(broker, INCIDENT);
    expect((await asked(broker, { ...note(task), ...wish })).id).not.toBe(id);
  });

  it.each<[string, (task: string) => Partial<ExchangeRequest>]>([
    ['the same words', () => INCIDENT],
    ['the same words under the task', (task) => ({ ...INCIDENT, under: { taskId: task } })],
    ['less', note],
  ])('is none for %s once policy wants to be asked each time', async (_, wish) => {
    const broker = await askingBroker({ policies: REUSE });
    const { id, task } = await asked(broker, INCIDENT);
    await answered(broker.deps, id);
    await write(broker, INCIDENT);
    broker.deps.policy = await engineOf(`@id("anything") permit (principal, action, resource);${WRITES_ASK}`);
    expect((await asked(broker, wish(task))).id).not.toBe(id);
  });

  it('is none once policy does not say so, or the person is cut off', async () => {
    const broker = await askingBroker({ policies: REUSE });
    const { id, task } = await asked(broker, INCIDENT);
    await answered(broker.deps, id);
    await write(broker, INCIDENT);
    const { policy } = broker.deps;
    broker.deps.policy = await engineOf(`@id("anything") permit (principal, action, resource);${WRITES_ASK}`);
    expect((await asked(broker, note(task))).id).not.toBe(id);
    broker.deps.policy = policy;
    const selector = { kind: 'principal', value: 'staff:bo' } as const;
    await revoke(broker.deps.ledger, { id: 'x', selector, effect: 'cutoff', reason: 'left', actor: 'test' });
    expect((await asked(broker, { ...INCIDENT, under: { taskId: task } })).id).not.toBe(id);
  });

  it('is none once it was taken back, and people are asked anew', async () => {
    const broker = await askingBroker({ policies: REUSE });
    const { id, task } = await asked(broker, INCIDENT);
    await answered(broker.deps, id);
    await write(broker, INCIDENT);
    await cancelApproval(broker.deps, await approvalOf(broker.deps, id), { caller: broker.agent, requestId: 'r' });
    for (const wish of [INCIDENT, { ...INCIDENT, under: { taskId: task } }, note(task)])
      expect((await asked(broker, wish)).id).not.toBe(id);
    expect((await broker.audited()).filter(({ type }) => type === 'approval.cancelled')).toHaveLength(1);
  });

  it('is none where one of two groups wants to be asked each time', async () => {
    const broker = await askingBroker({ policies: REUSE + asks('write', 'dpo') });
    const { id, task } = await asked(broker, INCIDENT);
    await answered(broker.deps, id);
    await write(broker, INCIDENT);
    expect((await asked(broker, note(task))).id).not.toBe(id);
  });
});
