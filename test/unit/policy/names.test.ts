/** The names of docs/policy.md: each means what the page says. One permit, one question that it fits and one that it does not. */
import { describe, expect, it } from '@jest/globals';
import type { ApprovalFacts, Delegation, PolicyQuery } from '../../../src/policy/query.js';
import {
  engineOf,
  person,
  taskOf,
  ticketsTarget,
  toAccess,
  toOperate,
  workload,
  TICKETS,
} from '../../support/policy.js';

const target = ticketsTarget({
  labels: [
    { match: 'incident/**', sensitivity: ['internal'] },
    { match: 'incident/vip/**', sensitivity: ['restricted', 'personal'] },
    { match: 'press/**', sensitivity: ['public'] },
  ],
  tags: { environment: 'production' },
});

async function permits(condition: string, query: PolicyQuery): Promise<boolean> {
  const action = query.context.kind === 'access' ? 'action in Action::"access"' : `action == Action::"${query.action}"`;
  const engine = await engineOf(`@id("p") permit (principal, ${action}, resource) when { ${condition} };`, [target]);
  return (await engine.decide(query)).outcome === 'permit';
}

const ci = workload('ci:job', {
  owner: 'sre',
  claims: { ref: 'refs/heads/main', roles: ['agent', 'reader'], none: [] },
  unread: ['teams'],
});
const ann = person('corp:ann', ['finance', 'oncall']);
const hop = { kind: 'workload' as const, id: 'lab:planner', issuer: 'lab', owner: 'agents' };
const plain = toAccess('incident/4711');
const rich = toAccess('incident/vip/1', 'read', {
  by: ci,
  context: {
    purposeFrom: 'opener',
    delegationDepth: 1,
    principalProven: true,
    onBehalfOf: { ...ann, unread: ['groups'] },
    openedBy: hop,
    delegatedBy: hop,
    chain: [hop],
    approvals: ['on-call'],
    risk: 'HIGH',
    given: {
      subject: { claims: { role: 'admin', teams: ['a', 'b'] }, unread: ['score'] },
      action: { claims: { soft: 'true' }, unread: [] },
      resource: { claims: { status: 'archived' }, unread: [] },
      context: { claims: {}, unread: ['device'] },
    },
  },
});

describe('of an approval', () => {
  const facts = (more: Partial<ApprovalFacts> = {}): ApprovalFacts => ({
    id: 'apr_aabbbbbbbbbbbbbb',
    group: 'finance',
    workload: ci,
    onBehalfOf: person('corp:bob', ['sales']),
    target: TICKETS,
    access: [
      { path: 'incident/vip/1', actions: ['write'] },
      { path: 'press/1', actions: ['read', 'write'] },
    ],
    purpose: 'pay',
    ...more,
  });
  const approve = (more: Partial<ApprovalFacts> = {}, by = ann) =>
    toOperate('approve', { type: 'approval', approval: facts(more) }, by);

  it.each([
    ['principal in resource.group'],
    ['resource.group == Group::"finance"'],
    ['resource.workload == Workload::"ci:job" && resource.workload in Owner::"sre"'],
    ['resource.workload.hasTag("ref") && resource.workload.getTag("ref") == "refs/heads/main"'],
    ['resource has onBehalfOf && resource.onBehalfOf in Group::"sales"'],
    [`resource.target == Target::"${TICKETS}" && resource.target.hasTag("environment")`],
    ['resource.actions == ["read", "write"]'],
    ['resource.sensitivity == ["internal", "restricted", "personal", "public"]'],
    ['resource.purpose == "pay"'],
  ])('%s', async (condition) => {
    expect(await permits(condition, approve())).toBe(true);
    const other = approve({
      group: 'sre-oncall',
      workload: workload('lab:x', { owner: 'sales' }),
      onBehalfOf: undefined as never,
      access: [{ path: 'other', actions: ['read'] }],
      purpose: 'other',
    });
    expect(await permits(condition, other)).toBe(condition.startsWith('resource.target'));
  });

  it('a workload never approves, and nobody for a target that is not configured', async () => {
    expect(await permits('true', approve())).toBe(true);
    expect(await permits('true', approve({}, ci as never))).toBe(false);
    expect(await permits('true', approve({ target: 'https://gone.example' }))).toBe(false);
  });

  it('whoever would break the glass for a request of their own is told apart', async () => {
    const breakGlass = (own: boolean) =>
      toOperate('breakGlass', { type: 'approval', approval: facts() }, ann, { emergency: { own } });
    expect(await permits('!context.own && principal in Group::"oncall"', breakGlass(false))).toBe(true);
    expect(await permits('!context.own', breakGlass(true))).toBe(false);
  });
});

describe('of an access', () => {
  it.each([
    ['principal is Workload && principal == Workload::"ci:job"'],
    ['principal in Issuer::"ci"'],
    [
      'principal in Owner::"sre" && principal is Workload && principal.hasTag("ref") && principal.getTag("ref") == "refs/heads/main"',
    ],
    [
      'principal is Workload && principal.lists.hasTag("roles") && principal.lists.getTag("roles") == ["reader", "agent"]',
    ],
    ['principal is Workload && principal.lists.hasTag("none") && principal.lists.getTag("none").isEmpty()'],
    ['principal is Workload && principal.unread.contains("teams")'],
    ['context has onBehalfOf && context.onBehalfOf.unread == ["groups"]'],
    [`resource in Resource::"${TICKETS}#incident/vip"`],
    [
      `resource in Resource::"${TICKETS}#incident" && resource in Target::"${TICKETS}" && resource == Resource::"${TICKETS}#incident/vip/1"`,
    ],
    ['resource.sensitivity == ["internal", "restricted", "personal"]'],
    [
      `resource.target == Target::"${TICKETS}" && resource.target.hasTag("environment") && resource.target.getTag("environment") == "production"`,
    ],
    ['context.purpose == "summarise incident 4711" && context.purposeFrom == "opener"'],
    [
      'context.lifetimeSeconds == 300 && context.delegationDepth == 1 && context.principalProven && context.risk == "HIGH"',
    ],
    [
      'context has onBehalfOf && context.onBehalfOf == Person::"corp:ann" && context.onBehalfOf in Group::"finance" && context.onBehalfOf in Issuer::"corp"',
    ],
    [
      'context has openedBy && context.openedBy in Owner::"agents" && context has delegatedBy && context.delegatedBy in Issuer::"lab"',
    ],
    [
      'context has given && context.given.subject.hasTag("role") && context.given.subject.getTag("role") == "admin" && context.given.subject.lists.hasTag("teams") && context.given.subject.lists.getTag("teams").contains("b") && context.given.subject.unread.contains("score")',
    ],
    ['context has given && context.given.action.hasTag("soft") && context.given.action.getTag("soft") == "true"'],
    ['context has given && context.given.resource.hasTag("status") && !context.given.resource.hasTag("role")'],
    ['context has given && !context.given.context.hasTag("status") && context.given.context.unread == ["device"]'],
    ['context.chain.contains(Workload::"lab:planner") && context.approvals.contains("on-call")'],
  ])('%s', async (condition) => {
    expect(await permits(`${condition} && !resource.pattern`, rich)).toBe(true);
    const other = toAccess('payroll/1', 'write', {
      by: workload('lab:x', { owner: 'sales' }),
      context: { purpose: 'other', lifetimeSeconds: 1 },
    });
    expect(await permits(condition, other)).toBe(condition.startsWith('resource.target'));
  });

  it('what is not there is absent', async () => {
    const absent =
      '!(context has onBehalfOf) && !(context has openedBy) && !(context has delegatedBy) && !(context has given) && context.chain.isEmpty()';
    expect(await permits(absent, plain)).toBe(true);
  });

  it('a person who opened is not a workload who opened', async () => {
    const query = toAccess('incident/4711', 'read', { context: { openedBy: ann, chain: [ann] } });
    expect(await permits('!(context has openedBy) && context.chain.isEmpty()', query)).toBe(true);
  });

  it('a task serves a person or its own workload: on behalf of another workload nothing is permitted', async () => {
    expect(await permits('true', toAccess('incident/4711', 'read', { context: { onBehalfOf: hop } }))).toBe(false);
  });

  it('who asks cannot add facts about the resource', async () => {
    const claims = { sensitivity: 'public', pattern: 'false', target: 'x' };
    const query = toAccess('incident/vip/1', 'read', { by: workload('ci:job', { claims }) });
    expect(await permits('resource.sensitivity.contains("public")', query)).toBe(false);
  });

  it('a claim that reads like an entity stays a text', async () => {
    const by = workload('ci:job', {
      owner: undefined as never,
      claims: { __entity: 'Owner', ref: '{"__entity":{"type":"Owner","id":"sre"}}' },
    });
    expect(await permits('principal in Owner::"sre"', toAccess('x', 'read', { by }))).toBe(false);
    expect(
      await permits(
        'principal.hasTag("__entity") && principal.getTag("__entity") == "Owner"',
        toAccess('x', 'read', { by }),
      ),
    ).toBe(true);
  });

  it('a list is no tag, and a text is no list', async () => {
    const query = toAccess('x', 'read', { by: ci });
    expect(await permits('principal.hasTag("roles")', query)).toBe(false);
    expect(await permits('principal.lists.hasTag("ref")', query)).toBe(false);
  });

  it('the lists of a party are its own, also where another has some', async () => {
    const roles = (whose: string) =>
      `${whose}.lists.hasTag("roles") && ${whose}.lists.getTag("roles").contains("agent")`;
    const query = toAccess('x', 'read', { by: ci, context: { onBehalfOf: { ...ann, claims: { roles: ['reader'] } } } });
    expect(await permits(roles('principal'), query)).toBe(true);
    expect(await permits(`context has onBehalfOf && ${roles('context.onBehalfOf')}`, query)).toBe(false);
  });

  it('a workload and a person of one name are two', async () => {
    expect(await permits('principal == Workload::"corp:ann"', toAccess('x', 'read', { by: ann }))).toBe(false);
    expect(await permits('principal == Person::"corp:ann"', toAccess('x', 'read', { by: ann }))).toBe(true);
  });
});

describe('of a verb', () => {
  it('a task has its workload, purpose and opener', async () => {
    const task = { id: 'tsk_aabbbbbbbbbbbbbb', workload: hop, purpose: 'plan', openedBy: ann };
    const query = toOperate('completeTask', { type: 'task', task });
    const condition =
      'resource.workload in Owner::"agents" && resource.purpose == "plan" && resource has openedByPerson && resource.openedByPerson == Person::"corp:ann"';
    expect(await permits(condition, query)).toBe(true);
    expect(await permits('resource has openedByWorkload', query)).toBe(false);
    expect(await permits('resource == Task::"tsk_aabbbbbbbbbbbbbb"', query)).toBe(true);
  });

  it('who asks about its own task is seen as just proven, not as remembered', async () => {
    const remembered = { ...hop, owner: 'before' };
    const now = workload('lab:planner', { owner: 'now' });
    const query = toOperate('heartbeat', { type: 'task', task: { workload: remembered, purpose: 'plan' } }, now);
    expect(await permits('resource.workload == principal && resource.workload in Owner::"now"', query)).toBe(true);
    expect(await permits('resource.workload in Owner::"before"', query)).toBe(false);
  });

  it('opening knows the deadline asked for and whom it would serve, and policy may shorten it', async () => {
    const opening = { lifetimeSeconds: 3_600, onBehalfOf: ann, principalProven: true, delegationDepth: 0, chain: [] };
    const query = toOperate('openTask', { type: 'task', task: { workload: hop, purpose: 'plan' } }, ci, { opening });
    expect(
      await permits(
        'context.lifetimeSeconds == 3600 && context has onBehalfOf && context.onBehalfOf in Group::"finance" && context.principalProven',
        query,
      ),
    ).toBe(true);
    const engine = await engineOf(
      '@id("p") @lifetime("600") permit (principal, action == Action::"openTask", resource);',
    );
    expect(await engine.decide(query)).toMatchObject({ outcome: 'permit', lifetimeSeconds: 600 });
  });

  it('opening knows who stands above, as the access under it will', async () => {
    const condition =
      'context.delegationDepth == 2 && context has delegatedBy && context.delegatedBy in Issuer::"lab" && context.chain.contains(Workload::"lab:planner") && context.chainOwners.contains(Owner::"agents")';
    const alone = '!(context has delegatedBy) && context.chain.isEmpty() && context.chainOwners.isEmpty()';
    const asked = (delegation: Delegation) =>
      toOperate('openTask', taskOf(ci), ci, {
        opening: { lifetimeSeconds: 60, principalProven: false, ...delegation },
      });
    const below = asked({ delegationDepth: 2, delegatedBy: hop, chain: [hop] });
    const root = asked({ delegationDepth: 0, chain: [] });
    expect([await permits(condition, below), await permits(condition, root)]).toEqual([true, false]);
    expect([await permits(alone, below), await permits(alone, root)]).toEqual([false, true]);
  });

  it('a revocation has kind, value, effect and whether it is only asked', async () => {
    const revocation = { kind: 'workload', value: 'lab:x', effect: 'hold', dryRun: true };
    const query = toOperate('revoke', { type: 'broker' }, ci, { revocation });
    const condition =
      'context.kind == "workload" && context.value == "lab:x" && context.effect == "hold" && context.dryRun';
    expect(await permits(`resource == Broker::"self" && ${condition}`, query)).toBe(true);
    expect(await permits(condition, toOperate('revoke', { type: 'broker' }, ci))).toBe(false);
  });

  it.each(['introspect', 'evaluate', 'assertProperties'])('%s is about a target', async (verb) => {
    const query = toOperate(verb, { type: 'target', target: TICKETS }, ci);
    expect(await permits(`resource == Target::"${TICKETS}" && resource.hasTag("environment")`, query)).toBe(true);
    expect(await permits('true', toOperate(verb, { type: 'target', target: 'https://x.example' }, ci))).toBe(false);
  });

  it.each(['readRevocations', 'readCredential', 'readAudit', 'sendSignal', 'followFeed'])(
    '%s is asked of the broker',
    async (verb) => {
      expect(await permits('resource == Broker::"self"', toOperate(verb, { type: 'broker' }))).toBe(true);
      expect(await permits('true', toOperate(verb, taskOf(workload())))).toBe(false);
    },
  );
});

it('a forbid that fails to evaluate refuses, although Cedar itself would skip it', async () => {
  const engine = await engineOf(`@id("all") permit (principal, action, resource);
    @id("overflows") forbid (principal, action in Action::"access", resource)
    when { context.lifetimeSeconds + 9223372036854775807 > 0 };`);
  expect(await engine.decide(plain)).toMatchObject({ outcome: 'deny', policies: ['overflows'] });
});

it('a question Cedar cannot even read refuses', async () => {
  const engine = await engineOf('@id("all") permit (principal, action, resource);');
  expect(await engine.decide(plain)).toMatchObject({ outcome: 'permit' });
  const query = toAccess('incident/4711', 'read', { context: { lifetimeSeconds: 0.5 } });
  expect(await engine.decide(query)).toMatchObject({ outcome: 'deny', policies: [] });
});
