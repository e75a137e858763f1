/** Tasks through their life: opened, suspended, resumed, completed; what each does to what hangs on them. */
import { describe, expect, it } from '@jest/globals';
import type { AuthenticatedCaller } from '../../../src/identity/proof.js';
import { openTask } from '../../../src/tasks/open-task.js';
import type { Verdict } from '../../../src/policy/policy-engine.js';
import type { PolicyQuery } from '../../../src/policy/query.js';
import { StoreUnavailable } from '../../../src/store/store.js';
import { proven } from '../../support/brokers/stubbed.js';
import { handClock, type HandClock } from '../../support/clock.js';
import { readTask } from '../../../src/ledger/tasks.js';
import { readTaskState } from '../../../src/ledger/task-state.js';
import { refusal } from '../../support/refusal-code.js';
import { withPersons } from '../../support/brokers/use-cases.js';
import { AGENT, TARGET, wholeBroker, type WholeBroker } from '../../support/brokers/use-cases.js';
import { completeTask, resumeTask, suspendTask, heartbeat, revokeBySelector } from '../../support/verbs.js';

const request = (taskId: string) => ({ taskId, requestId: 'r' });
const complete = ({ deps, operator }: WholeBroker, taskId: string, outcome: 'completed' | 'failed' = 'completed') =>
  completeTask(deps, operator, { ...request(taskId), outcome });
const suspend = ({ deps, operator }: WholeBroker, taskId: string) => suspendTask(deps, operator, request(taskId));
const resume = ({ deps, operator }: WholeBroker, taskId: string) => resumeTask(deps, operator, request(taskId));
const taskState = async ({ deps }: WholeBroker, taskId: string) =>
  readTaskState(deps.ledger, (await readTask(deps.ledger, taskId))!.value);

describe('completion', () => {
  it('G2: completion ends every credential of the task and of every task below it, whoever holds them', async () => {
    const broker = await wholeBroker();
    const root = await broker.open();
    const child = await broker.open({ parent: root.task.id });
    const grandchild = await broker.open({ parent: child.task.id });
    const other = await broker.open();
    const doomed = await Promise.all([root, child, grandchild].map(({ task }) => broker.under(task.id)));
    const spared = await broker.under(other.task.id);
    await complete(broker, root.task.id);
    expect(await Promise.all(doomed.map(broker.isActive))).toEqual([false, false, false]);
    expect(await broker.isActive(spared)).toBe(true);
    expect(await refusal(broker.under(grandchild.task.id))).toBe('invalid_grant');
    expect(await taskState(broker, grandchild.task.id)).toBe('cancelled');
  });

  it('the first outcome stands, and is published once', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    const [one, two] = await Promise.all([complete(broker, task.id), complete(broker, task.id, 'failed')]);
    expect(one.task.ended?.as ?? one.state).toBe(two.task.ended?.as ?? two.state);
    const again = await complete(broker, task.id, 'failed');
    expect([again.state, again.revocation]).toEqual([await taskState(broker, task.id), undefined]);
    expect(await broker.store.log.entries(0, 10)).toHaveLength(1);
  });

  it('a child cannot be opened under a parent that is over, or held', async () => {
    const broker = await wholeBroker();
    const [over, asleep] = [await broker.open(), await broker.open()];
    await complete(broker, over.task.id);
    await suspend(broker, asleep.task.id);
    expect(await refusal(broker.open({ parent: over.task.id }))).toBe('conflict');
    expect(await refusal(broker.open({ parent: asleep.task.id }))).toBe('conflict');
  });
});

describe('suspension', () => {
  it('kills what was minted before it for good, lets nothing be born, and resuming allows new ones', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    const before = await broker.under(task.id);
    await suspend(broker, task.id);
    expect(await broker.isActive(before)).toBe(false);
    expect(await refusal(broker.under(task.id))).toBe('access_denied');
    await resume(broker, task.id);
    expect(await broker.isActive(before)).toBe(false);
    expect(await broker.isActive(await broker.under(task.id))).toBe(true);
  });

  it('holds children too', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    const child = await broker.open({ parent: task.id });
    const issued = await broker.under(child.task.id);
    await suspend(broker, task.id);
    expect(await broker.isActive(issued)).toBe(false);
    expect(await refusal(broker.under(child.task.id))).toBe('access_denied');
    await resume(broker, child.task.id);
    expect(await refusal(broker.under(child.task.id))).toBe('access_denied');
  });

  it('resuming lifts its own hold and no other', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    const what = { kind: 'task', value: task.id } as const;
    await revokeBySelector(broker.deps, broker.operator, { what, effect: 'hold', reason: 'soc', requestId: 'r' });
    await suspend(broker, task.id);
    expect((await resume(broker, task.id)).state).toBe('suspended');
    expect(await refusal(broker.under(task.id))).toBe('access_denied');
  });

  it('twice is one hold, again after resuming is another', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open();
    for (let round = 0; round < 2; round += 1) {
      await Promise.all([suspend(broker, task.id), suspend(broker, task.id)]);
      await suspend(broker, task.id);
      await Promise.all([resume(broker, task.id), resume(broker, task.id)]);
      await resume(broker, task.id);
    }
    const effects = (await broker.store.log.entries(0, 10)).map(({ effect }) => effect);
    expect(effects).toEqual(['hold', 'lift', 'hold', 'lift']);
    expect(await taskState(broker, task.id)).toBe('open');
  });

  it('what is over is neither suspended, resumed nor kept alive', async () => {
    const broker = await wholeBroker();
    const { task } = await broker.open({ heartbeat: { intervalSeconds: 10, missesAllowed: 3 } });
    await complete(broker, task.id);
    expect(await refusal(suspend(broker, task.id))).toBe('conflict');
    expect(await refusal(resume(broker, task.id))).toBe('conflict');
    expect((await heartbeat(broker.deps, broker.operator, request(task.id))).state).toBe('completed');
  });
});

describe('a child', () => {
  it('is never wider than its parent', async () => {
    const broker = await wholeBroker();
    const access = [{ target: TARGET, path: 'incident/*', actions: ['read'] }];
    const { task } = await broker.open({ access });
    const wider = [
      [{ target: TARGET, path: 'incident/**', actions: ['read'] }],
      [{ target: TARGET, path: '**', actions: ['read'] }],
      [{ target: TARGET, path: 'incident/1', actions: ['read', 'write'] }],
      [{ target: 'https://wiki.example', path: 'incident/1', actions: ['read'] }],
      [...access, { target: TARGET, path: 'customer/1', actions: ['read'] }],
    ];
    for (const wish of wider)
      expect(await refusal(broker.open({ parent: task.id, access: wish }))).toBe('invalid_scope');
    const child = await broker.open({ parent: task.id });
    expect(child.task.ceiling).toEqual(access);
    const beyond = { under: { taskId: child.task.id }, access: [{ path: 'incident/**', actions: ['read'] }] };
    expect(await refusal(broker.exchange(beyond))).toBe('invalid_scope');
  });

  it.each([0, 3, 8])('nests at most as deep as the operator allows: %i', async (delegationDepth) => {
    const { settings } = (await wholeBroker()).deps;
    const limits = { ...settings.limits, delegationDepth };
    const broker = await wholeBroker({ settings: { ...settings, limits } });
    let parent = (await broker.open()).task.id;
    for (let depth = 1; depth <= delegationDepth; depth += 1) parent = (await broker.open({ parent })).task.id;
    expect(await refusal(broker.open({ parent }))).toBe('invalid_request');
  });

  it('serves whom its parent serves, and nobody else', async () => {
    const { settings } = (await wholeBroker()).deps;
    const broker = await wholeBroker({ settings: withPersons(settings) });
    const { task } = await broker.open({ principal: 'staff:ada' });
    expect((await broker.open({ parent: task.id })).task.principal?.id).toBe('staff:ada');
    expect((await broker.open({ parent: task.id, principal: 'staff:ada' })).task.principal?.id).toBe('staff:ada');
    expect(await refusal(broker.open({ parent: task.id, principal: 'staff:eve' }))).toBe('invalid_request');
    expect(await refusal(broker.open({ principal: 'nobody:ada' }))).toBe('invalid_request');
    expect(await refusal(broker.open({ principal: AGENT }))).toBe('invalid_request');
  });
});

describe('what a task says of itself', () => {
  it('its purpose is stated by the agent if the agent opened it, and otherwise by the opener', async () => {
    const broker = await wholeBroker();
    const own = await openTask(broker.deps, broker.agent, { workload: AGENT, purpose: 'triage', requestId: 'r' });
    expect([own.task.purposeFrom, (await broker.open()).task.purposeFrom]).toEqual(['agent', 'opener']);
  });

  it('its purpose is kept without a token that somebody pasted into it, also a wrapped one', async () => {
    const broker = await wholeBroker();
    const jws = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.e30.${'A'.repeat(43)}`;
    for (const purpose of [jws, jws.replaceAll('.', '%2E')]) {
      const own = await openTask(broker.deps, broker.agent, { workload: AGENT, purpose, requestId: 'r' });
      expect(own.task.purpose).toBe('[token removed]');
    }
  });

  it('every team that answered for its workload stays a cause of it', async () => {
    const clock = handClock();
    const teams = ['sre'];
    const broker = await wholeBroker({ clock, identify: () => Promise.resolve(ofTeam(teams.at(-1) ?? '', clock)) });
    const { task } = await broker.exchange();
    teams.push('platform');
    await broker.under(task.id);
    const what = { kind: 'owner', value: 'sre' } as const;
    await revokeBySelector(broker.deps, broker.operator, { what, effect: 'cutoff', reason: 'soc', requestId: 'r' });
    clock.advance(10_000);
    expect(await taskState(broker, task.id)).toBe('revoked');
    teams.push('third');
    expect(await refusal(broker.under(task.id))).toBe('invalid_grant');
  });
});

const ofTeam = (owner: string, clock: HandClock): AuthenticatedCaller => {
  const { party, ...proof } = proven(AGENT, clock, clock.now());
  return { ...proof, party: { ...party, owner } };
};

describe('whom a task serves', () => {
  it('is proven by the own token of the person, by being the one who opens, or by the parent; a name alone proves nothing', async () => {
    const { broker, asked } = await watched();
    const ada = proven('staff:ada', broker.clock);
    const wish = { workload: AGENT, purpose: 'triage', principal: 'staff:ada', requestId: 'r' };
    const named = await broker.open({ principal: 'staff:ada' });
    const own = await openTask(broker.deps, ada, wish);
    const child = await broker.open({ parent: own.task.id });
    const childOfNamed = await broker.open({ parent: named.task.id, principal: 'staff:ada' });
    const born = await broker.exchange(FOR_ADA);
    const tasks = [named, own, child, childOfNamed, born].map(({ task }) => task.principalProven ?? false);
    expect(tasks).toEqual([false, true, true, false, true]);
    const openings = asked.flatMap(({ action, context }) =>
      action === 'openTask' && context.kind === 'operate' ? [context.opening?.principalProven] : [],
    );
    // A child is asked twice: of its parent, and of itself.
    expect(openings).toEqual([false, true, true, true, false, false, true]);
  });

  it('is known to policy at a renewal with the groups and claims that were proven, and as merely named where nothing was', async () => {
    const { broker, asked } = await watched();
    const born = await broker.exchange(FOR_ADA);
    const named = await broker.open({ principal: 'staff:ada' });
    asked.length = 0;
    await broker.under(born.task.id);
    await broker.under(named.task.id);
    await broker.exchange({ ...FOR_ADA, under: { taskId: named.task.id } });
    await broker.under(named.task.id);
    const known = {
      onBehalfOf: {
        id: 'staff:ada',
        groups: ['finance'],
        claims: { desk: '7', roles: ['auditor'] },
        unread: ['teams'],
      },
      principalProven: true,
    };
    expect(asked.map(({ context }) => context)).toMatchObject([known, { principalProven: false }, known, known]);
    expect(asked[1]?.context).not.toHaveProperty('onBehalfOf.groups');
  });

  it('how deep the task lies is known to policy', async () => {
    const { broker, asked } = await watched();
    const parent = await broker.open();
    const child = await broker.open({ parent: parent.task.id });
    asked.length = 0;
    await broker.under(parent.task.id);
    await broker.under(child.task.id);
    expect(asked.map(({ context }) => context)).toMatchObject([{ delegationDepth: 0 }, { delegationDepth: 1 }]);
  });
});

const FOR_ADA = {
  subject: { token: 'staff:ada', type: 'urn:ietf:params:oauth:token-type:jwt' },
  actor: { token: AGENT, type: 'urn:ietf:params:oauth:token-type:jwt' },
};

/** A broker with persons, and every question that it asks of policy. */
async function watched(answer?: (query: PolicyQuery) => Partial<Verdict> | undefined) {
  const { policy, settings } = (await wholeBroker()).deps;
  const asked: PolicyQuery[] = [];
  const decide = async (query: PolicyQuery): Promise<Verdict> => {
    asked.push(query);
    return { ...(await policy.decide(query)), ...answer?.(query) };
  };
  return { broker: await wholeBroker({ policy: { ...policy, decide }, settings: withPersons(settings) }), asked };
}

describe('opening under a parent', () => {
  const access = [{ target: TARGET, path: 'incident/1', actions: ['read'] }];
  const wider = [{ target: TARGET, path: 'incident/2', actions: ['read'] }];

  it('reveals nothing of a parent that the caller may not read', async () => {
    const { broker } = await watched(({ action }) => (action === 'readTask' ? { outcome: 'deny' } : undefined));
    const { task } = await broker.open({ access, principal: 'staff:ada' });
    const stranger = proven('lab:stranger', broker.clock);
    for (const wish of [{ access: wider }, { access }, { principal: 'staff:eve' }, {}]) {
      const asked = { workload: AGENT, purpose: 'triage', requestId: 'r', parent: task.id, ...wish };
      expect(await refusal(openTask(broker.deps, stranger, asked))).toBe('not_found');
      // Who opened the parent knows that it is there, and learns no more.
      expect(await refusal(broker.open(asked))).toBe('access_denied');
    }
  });

  it('takes more than reading it: one has to be let open tasks of that kind', async () => {
    const { broker } = await watched(({ action, resource }) =>
      action === 'openTask' && resource.type === 'task' && resource.task.purpose === 'theirs'
        ? { outcome: resource.task.id === undefined ? 'permit' : 'deny' }
        : undefined,
    );
    const { task } = await broker.open({ purpose: 'theirs' });
    expect(await refusal(broker.open({ parent: task.id }))).toBe('access_denied');
  });
});

describe('a deadline that policy shortens', () => {
  const tenMinutes = ({ action }: PolicyQuery) => (action === 'openTask' ? { lifetimeSeconds: 600 } : undefined);

  it('is shorter for the task that is opened, and for its child', async () => {
    const { broker } = await watched(tenMinutes);
    const { task } = await broker.open();
    expect(task.deadline - task.openedAt).toBe(600_000);
    expect((await readTask(broker.deps.ledger, task.id))?.value.deadline).toBe(task.deadline);
    expect((await broker.open({ deadlineSeconds: 60 })).task.deadline).toBe(task.openedAt + 60_000);
  });

  it('is shorter for the task that is born with a credential, and the credential ends with it', async () => {
    const { broker } = await watched(tenMinutes);
    const { task, credential } = await broker.exchange({ lifetimeSeconds: 3_600 });
    expect([task.deadline - task.openedAt, credential.expiresAt - credential.issuedAt]).toEqual([600_000, 600_000]);
  });
});

describe('without an audit log', () => {
  it('no task stays open, and a retry of the opening says so', async () => {
    const broker = await wholeBroker();
    const { audit } = broker.deps;
    broker.deps.audit = { ...audit, append: () => Promise.reject(new StoreUnavailable('no audit')) };
    const idempotencyKey = { key: 'k', body: 'b' };
    expect(await refusal(broker.open({ idempotencyKey }))).toBe('StoreUnavailable');
    expect(await broker.store.log.entries(0, 10)).toMatchObject([{ effect: 'end', actor: 'broker' }]);
    broker.deps.audit = audit;
    expect((await broker.open({ idempotencyKey })).state).toBe('cancelled');
  });
});
