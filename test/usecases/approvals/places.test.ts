/** How often a workload may ask people: nobody says yes to be left alone, and nobody can use up the questions of another. */
import { describe, expect, it } from '@jest/globals';
import { cancelApproval } from '../../../src/approvals/cancel.js';
import type { ApprovalAnswer } from '../../../src/domain/approval.js';
import { newId } from '../../../src/domain/id.js';
import { requesterOf, takePlace } from '../../../src/ledger/approval-quota.js';
import { revoke } from '../../../src/ledger/revoke.js';
import { accessTokenOf } from '../../../src/targets/kinds.js';
import { openTask } from '../../../src/tasks/open-task.js';
import { answered, approvalOf, askingBroker, asks, waitingFor, WRITES_ASK } from '../../support/approvals/asking.js';
import { withPersons, type WholeBroker } from '../../support/brokers/use-cases.js';
import { proven } from '../../support/brokers/stubbed.js';
import type { ExchangeRequest } from '../../support/exchanging.js';
import { engineOf } from '../../support/policy.js';

const MOST = 3;
const HOUR_MS = 3_600_000;
const JWT = 'urn:ietf:params:oauth:token-type:jwt';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** What is asked by others is granted, so that they have something to hand on. */
const SUB_ASKS = `@id("sub-asks") @approval("sre") forbid (principal == Workload::"lab:sub", action == Action::"write", resource)
  unless { context.approvals.contains("sre") };`;

interface Question {
  id: string;
  task: string;
}

async function broker(policies = WRITES_ASK): Promise<WholeBroker> {
  const made = await askingBroker({ policies });
  const { settings } = made.deps;
  made.deps.settings = withPersons({ ...settings, approvals: { ...settings.approvals, pendingPerWorkload: MOST } });
  return made;
}

const incident = (name: number | string) => ({ access: [{ path: `incident/${name}`, actions: ['write'] }] });
const write = (on: WholeBroker, name: number | string, wish: Partial<ExchangeRequest> = {}) =>
  on.exchange({ ...incident(name), ...wish });
const ask = (on: WholeBroker, name: number | string, wish?: Partial<ExchangeRequest>): Promise<Question> =>
  waitingFor(write(on, name, wish));

/** Returns how many seconds the refusal says to wait. */
async function secondsUntilRoom(on: WholeBroker, name: number | string, wish?: Partial<ExchangeRequest>) {
  const refusal = await write(on, name, wish).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'slow_down', details: { retry: 'later' } });
  return (refusal as { details: { retryAfterSeconds: number } }).details.retryAfterSeconds;
}

async function askAll(on: WholeBroker, wish?: Partial<ExchangeRequest>): Promise<Question[]> {
  const questions: Question[] = [];
  for (let name = 0; name < MOST; name += 1) questions.push(await ask(on, name, wish));
  return questions;
}

const answer =
  (says: ApprovalAnswer['says']) =>
  async (on: WholeBroker, { id }: Question) => {
    await answered(on.deps, id, { says });
  };

async function cancel(on: WholeBroker, { id }: Question): Promise<void> {
  await cancelApproval(on.deps, await approvalOf(on.deps, id), { caller: on.agent, requestId: 'r' });
  expect((await approvalOf(on.deps, id)).cancelledAt).toBeDefined();
}

async function end(on: WholeBroker, { task: value }: Question): Promise<void> {
  const selector = { kind: 'task', value } as const;
  await revoke(on.deps.ledger, { id: `ended:${value}`, selector, effect: 'end', reason: 'done', actor: 'test' });
}

describe('a question has its place for as long as questions wait', () => {
  it.each<[string, (on: WholeBroker, question: Question) => Promise<void>]>([
    ['nothing has happened', () => Promise.resolve()],
    ['the answer was no', answer('deny')],
    ['it was taken back', cancel],
    ['its task was ended, so that another is opened', end],
  ])('although %s', async (_, happens) => {
    const on = await broker();
    for (let name = 0; name < MOST; name += 1) {
      await happens(on, await ask(on, name));
      on.clock.advance(60_000);
    }
    // The first was asked three minutes ago.
    expect(await secondsUntilRoom(on, 'one-more')).toBe(3_600 - 180);
    on.clock.advance(HOUR_MS - 180_000);
    await ask(on, 'one-more');
    expect(await secondsUntilRoom(on, 'and-one-more')).toBe(60);
  });

  it.each<[string, Partial<ExchangeRequest>]>([
    ['with another lifetime', { ...incident(0), lifetimeSeconds: 77 }],
    ['with more access', { access: [{ path: 'incident/*', actions: ['write'] }] }],
    ['with another purpose', { ...incident(0), under: { purpose: 'another' } }],
    ['with another key', { ...incident(0), idempotencyKey: { key: 'other', body: 'other' } }],
  ])('so whoever was refused cannot ask again %s', async (_, wish) => {
    const on = await broker();
    for (const question of await askAll(on)) await answer('deny')(on, question);
    await secondsUntilRoom(on, 0, wish);
    // What was asked before is answered as before: nobody is asked.
    await expect(write(on, 0)).rejects.toMatchObject({ code: 'access_denied' });
  });

  it('also where its task can live for a minute only', async () => {
    const on = await broker();
    const { lifetimes } = on.deps.settings;
    on.deps.settings = { ...on.deps.settings, lifetimes: { ...lifetimes, task: 60 } };
    await askAll(on);
    on.clock.advance(61_000);
    expect(await secondsUntilRoom(on, 'one-more')).toBe(3_600 - 61);
  });

  it('and another that takes its place, because policy has changed, counts too', async () => {
    const on = await broker(asks('write', 'sre'));
    await ask(on, 0);
    const [sre, dpo] = [
      on.deps.policy,
      await engineOf(`@id("all") permit (principal, action, resource);${asks('write', 'dpo')}`),
    ];
    for (let turn = 1; turn < MOST; turn += 1) {
      on.deps.policy = turn % 2 ? dpo : sre;
      await ask(on, 0);
    }
    on.deps.policy = MOST % 2 ? dpo : sre;
    await secondsUntilRoom(on, 0);
  });
});

describe('there is room again at once', () => {
  it.each<[string, ApprovalAnswer['says']]>([
    ['people agree', 'approve'],
    ['somebody agrees in an emergency', 'emergency'],
  ])('where %s', async (_, says) => {
    const on = await broker();
    const [first] = await askAll(on);
    if (!first) throw new Error('nothing was asked');
    await answer(says)(on, first);
    await ask(on, 'one-more');
    await secondsUntilRoom(on, 'and-one-more');
  });

  it('where nobody was asked, because the audit log did not take the entry', async () => {
    const on = await broker();
    const { audit } = on.deps;
    on.deps.audit = { ...audit, append: () => Promise.reject(new Error('it takes nothing')) };
    for (let turn = 0; turn < 2 * MOST; turn += 1) await expect(write(on, turn)).rejects.toThrow('it takes nothing');
    on.deps.audit = audit;
    await askAll(on);
  });
});

describe('nobody uses up the questions of another', () => {
  it('no other workload', async () => {
    const on = await broker();
    await askAll(on);
    await ask(on, 0, { subject: { token: 'lab:other', type: JWT } });
  });

  it('no person whom the same agent serves, nor the agent itself', async () => {
    const on = await broker();
    const actor = { token: 'lab:agent', type: JWT };
    const of = (person: string) => ({ subject: { token: `staff:${person}`, type: JWT }, actor });
    await askAll(on, of('ann'));
    await secondsUntilRoom(on, 'one-more', of('ann'));
    await askAll(on, of('bo'));
    await askAll(on);
    await secondsUntilRoom(on, 'one-more');
  });

  it('none of two parties that open tasks for the same agent, nor the agent itself', async () => {
    const on = await broker();
    const openedBy = async (opener: string): Promise<Partial<ExchangeRequest>> => {
      const request = { workload: 'lab:agent', purpose: 'triage', requestId: 'r' };
      const { task } = await openTask(on.deps, proven(opener, on.clock), request);
      return { under: { taskId: task.id } };
    };
    await askAll(on, await openedBy('lab:one'));
    await secondsUntilRoom(on, 'one-more', await openedBy('lab:one'));
    await askAll(on, await openedBy('lab:other'));
    await askAll(on);
    await secondsUntilRoom(on, 'one-more');
  });

  it('none of two agents that hand on to the same one, nor that one itself', async () => {
    const on = await broker(SUB_ASKS);
    const sub = { token: 'lab:sub', type: JWT };
    const handedOnBy = async (token: string): Promise<Partial<ExchangeRequest>> => {
      const { minted } = await on.exchange({ ...incident('*'), subject: { token, type: JWT } });
      const handed = { token: accessTokenOf(minted.material), type: ACCESS_TOKEN };
      return { subject: handed, actor: sub };
    };
    await askAll(on, await handedOnBy('lab:one'));
    await secondsUntilRoom(on, 'one-more', await handedOnBy('lab:one'));
    await askAll(on, await handedOnBy('lab:other'));
    await askAll(on, { subject: sub });
    await secondsUntilRoom(on, 'one-more', { subject: sub });
  });

  it('and persons who are only named are nobody', async () => {
    const on = await broker();
    for (let person = 0; person < MOST; person += 1) {
      const { id: taskId } = (await on.open({ principal: `staff:p${person}` })).task;
      await ask(on, 0, { under: { taskId } });
    }
    const { id: taskId } = (await on.open({ principal: 'staff:one-more' })).task;
    await secondsUntilRoom(on, 0, { under: { taskId } });
  });
});

it('no more get through where many ask at once', async () => {
  const on = await broker();
  const asked = await Promise.allSettled(Array.from({ length: 24 }, (_, name) => ask(on, name)));
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(MOST);
});

describe('many that ask the same at once ask one question, in one place', () => {
  const AT_ONCE = 4 * MOST;
  const all = (on: WholeBroker, wish?: Partial<ExchangeRequest>) =>
    Promise.all(Array.from({ length: AT_ONCE }, () => ask(on, 0, wish)));

  it.each<[string, (on: WholeBroker) => Promise<Partial<ExchangeRequest>>]>([
    ['by words that open a task', () => Promise.resolve({})],
    ['under a task', async (on) => ({ under: { taskId: (await on.open()).task.id } })],
    ['with one Idempotency-Key', () => Promise.resolve({ idempotencyKey: { key: 'k', body: 'b' } })],
    ['with the purpose of the target', () => Promise.resolve({ under: { purpose: 'usual', isDefault: true } })],
  ])('%s', async (_, wished) => {
    const on = await broker();
    const wish = await wished(on);
    const { under } = wish;
    const other = under && 'taskId' in under ? { under } : {};
    for (let name = 1; name < MOST; name += 1) await ask(on, name, other);
    expect(new Set((await all(on, wish)).map(({ id }) => id)).size).toBe(1);
    await secondsUntilRoom(on, 'one-more', other);
  });

  it('also where every other place is taken, and where the question before was for other people', async () => {
    const on = await broker();
    for (let name = 2; name < MOST; name += 1) await ask(on, name);
    const [first] = await all(on);
    on.deps.policy = await engineOf(`@id("all") permit (principal, action, resource);${asks('write', 'dpo')}`);
    const again = await all(on);
    expect(new Set(again.map(({ id }) => id)).size).toBe(1);
    expect(again[0]).not.toEqual(first);
    await secondsUntilRoom(on, 'one-more');
  });

  it.each(['same', 'other'])('and the %s can be asked again after some of them failed', async (words) => {
    const on = await broker();
    const { audit } = on.deps;
    on.deps.audit = { ...audit, append: () => Promise.reject(new Error('it takes nothing')) };
    await Promise.allSettled(Array.from({ length: AT_ONCE }, () => write(on, 0)));
    on.deps.audit = audit;
    for (let name = 0; name < MOST; name += 1) await ask(on, words === 'same' ? name : `other-${name}`);
  });
});

it('a place whose broker died before it asked is taken for a minute, and no longer', async () => {
  const on = await broker();
  const { ledger } = on.deps;
  const at = on.clock.now();
  const task = (await on.exchange()).task;
  for (let name = 0; name < MOST; name += 1) {
    const place = { id: newId('apr', 'aa'), words: `${name}`, at, until: at + HOUR_MS };
    expect(await takePlace(ledger, requesterOf(task), { place, most: MOST, known: undefined })).toEqual({
      now: 'taken',
    });
  }
  on.clock.advance(59_000);
  expect(await secondsUntilRoom(on, 0)).toBe(1);
  on.clock.advance(1_000);
  await askAll(on);
  await secondsUntilRoom(on, 'one-more');
});
