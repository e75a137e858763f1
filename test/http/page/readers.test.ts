/** What the page tells those who may read a request, and not answer it: how it stands, and not who said what. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { PlainBrowser } from '../../../scripts/demo/plain-browser.js';
import type { ApprovalAnswer } from '../../../src/domain/approval.js';
import { startApproverPage, type ApproverPage } from '../../support/approvals/page.js';
import { park } from '../../support/approvals/written-request.js';
import { startRedis } from '../../support/redis.js';

const POLICIES = `
@id("fixer-works") permit (principal == Workload::"lab:fixer", action in Action::"access", resource in Target::"https://tickets.example");
@id("members-answer") permit (principal, action == Action::"approve", resource) when { principal in resource.group };
@id("readers-read") permit (principal in Group::"readers", action == Action::"readTask", resource);`;

let at: ApproverPage;
let ann: PlainBrowser;
beforeAll(async () => {
  const { url } = await startRedis();
  at = await startApproverPage({ policies: POLICIES, redisUrl: url });
  ann = await at.signedIn('ann.sre-oncall');
});

describe('a request', () => {
  it.each([
    ['whom it serves', 'pat.sales', { principal: { kind: 'person', id: 'people:pat.sales', issuer: 'people' } }],
    ['who opened its task', 'olga.sales', { openedBy: { kind: 'person', id: 'people:olga.sales', issuer: 'people' } }],
    ['who may read its task', 'rob.readers', {}],
  ] as const)('is shown to %s without who gave it, and without the policies that ask', async (_who, login, of) => {
    const scope = 'incident/4711:read';
    const { body } = await at.broker.exchange(await at.broker.identity('fixer'), { scope, purpose: login });
    const { task_id: task } = body as { task_id: string };
    const said: Omit<ApprovalAnswer, 'says'> = {
      by: { kind: 'person', id: 'people:bea.sre-oncall', issuer: 'people' },
      at: at.broker.clock.now(),
      groups: ['sre-oncall'],
      issuedAt: at.broker.clock.now(),
    };
    const needs = [{ group: 'sre-oncall', approvers: 2 }];
    const agreed: ApprovalAnswer = { ...said, says: 'approve', reason: 'looks well' };
    const { id: waits } = await park(at.broker, task, { ...of, needs, answers: [agreed] });
    const { id: refused } = await park(at.broker, task, {
      ...of,
      answers: [{ ...said, says: 'deny', reason: 'not on a Friday' }],
    });
    const reader = await at.signedIn(login);
    for (const [id, isRefused] of [
      [waits, false],
      [refused, true],
    ] as const) {
      const { status, text } = await reader.open(`${at.broker.url}/approvals/${id}`);
      expect([status, text.includes('not on a Friday')]).toEqual([200, isRefused]);
      for (const secret of ['people:bea', 'looks well', 'writes-need-the-on-call']) expect(text).not.toContain(secret);
      const { text: toAnn } = await ann.open(`${at.broker.url}/approvals/${id}`);
      for (const told of ['people:bea', 'writes-need-the-on-call']) expect(toAnn).toContain(told);
    }
  });
});

describe('what is marked', () => {
  it.each([
    ['of all that is asked for', {}, ['restricted']],
    ['no more once somebody has taken it away', { access: [{ path: 'incident/4711', actions: ['read'] }] }, []],
  ])('is told on the page and by the API %s', async (_what, terms, sensitivity) => {
    const ask = { scope: 'incident/4711:read', purpose: `marks ${sensitivity.join()}` };
    const { body } = await at.broker.exchange(await at.broker.identity('fixer'), ask);
    const agreed: ApprovalAnswer = {
      by: { kind: 'person', id: 'people:bea.sre-oncall', issuer: 'people' },
      at: at.broker.clock.now(),
      groups: ['sre-oncall'],
      issuedAt: at.broker.clock.now(),
      says: 'approve',
      ...terms,
    };
    const { id } = await park(at.broker, (body as { task_id: string }).task_id, {
      needs: [{ group: 'sre-oncall', approvers: 2 }],
      asked: { access: ['incident/4711', 'incident/4711/attachment/1'].map((path) => ({ path, actions: ['read'] })) },
      answers: [agreed],
    });
    const { text } = await ann.open(`${at.broker.url}/approvals/${id}`);
    expect(text.includes('is marked <strong>restricted</strong>')).toBe(sensitivity.length > 0);
    const cat = await at.broker.person('cat', { groups: ['sre-oncall'] });
    expect((await at.broker.get(`/approvals/${id}`, cat)).body).toMatchObject({ answer: { sensitivity } });
  });
});
