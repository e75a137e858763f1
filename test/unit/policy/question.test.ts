/** What another engine is told of a query, and by what its answers are known. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { defined } from '../../../src/domain/defined.js';
import { refOf, type Party } from '../../../src/domain/party.js';
import { contextOf, termsOf } from '../../../src/policy/cedar/context.js';
import type { AccessContext, OperateContext, PolicyQuery, PolicyResource } from '../../../src/policy/query.js';
import { questionOf } from '../../../src/policy/remote/question.js';
import { handClock } from '../../support/clock.js';
import { temporaryDirectory } from '../../support/directory.js';
import {
  json,
  serve,
  serveDecisionPoint,
  type EvaluationRequest,
} from '../../support/policy-engines/decision-point.js';
import { describeWithOpaCommand, startOpa, WHICH_OPA } from '../../support/policy-engines/opa.js';
import { authzenEngine, opaEngine, type RemoteWish } from '../../support/policy-engines/remote.js';
import { person, taskOf, ticketsTarget, toAccess, toOperate, workload, TICKETS } from '../../support/policy.js';
import { until } from '../../support/until.js';

const target = ticketsTarget({
  tags: { team: 'sre' },
  labels: [
    { match: 'incident/vip/**', sensitivity: ['restricted', 'personal'] },
    { match: '*/*/log', sensitivity: ['internal'] },
  ],
});
const TARGETS = new Map([[TICKETS, target]]);

/** All that a party can have. */
const everything: Party = {
  ...workload('lab:agent-7'),
  subject: 'lab:SUBJECT',
  session: 'lab:SESSION',
  clientIds: ['CLIENT'],
  run: 'RUN',
  claims: { team: 'sre', roles: ['deployer'] },
  unread: ['level'],
};
const planner = { ...everything, id: 'lab:planner', claims: {} };
const above = { delegationDepth: 1, delegatedBy: planner, chain: [planner, workload('ci:other', { owner: 'sre' })] };
const nobodyAbove = { delegationDepth: 0, chain: [] };
const context: Partial<AccessContext> = {
  onBehalfOf: { ...everything, kind: 'person', id: 'staff:ann', issuer: 'staff', groups: ['oncall'] },
  principalProven: true,
  openedBy: planner,
  ...above,
};

const ANN = { ...everything, kind: 'person', id: 'staff:ann', issuer: 'staff', groups: ['oncall'] } as const;
const SAID = { claims: {}, unread: [] };
const GIVEN = { subject: SAID, action: SAID, resource: SAID, context: SAID };

const told = { type: 'workload', id: 'lab:agent-7', issuer: everything.issuer, owner: 'sre' };
const toldAnn = {
  type: 'person',
  id: 'staff:ann',
  issuer: 'staff',
  owner: 'sre',
  groups: ['oncall'],
  claims: everything.claims,
  unread: ['level'],
};

/** A resource of each type, and what is told of it. */
const RESOURCES = {
  resource: {
    of: { type: 'resource', target: TICKETS, path: 'x' },
    told: { type: 'resource', target: TICKETS, path: 'x', pattern: false, sensitivity: [], tags: { team: 'sre' } },
  },
  target: {
    of: { type: 'target', target: TICKETS },
    told: { type: 'target', target: TICKETS, tags: { team: 'sre' } },
  },
  task: {
    of: { type: 'task', task: { workload: everything, purpose: 'x', openedBy: everything } },
    told: { type: 'task', id: 'new', purpose: 'x', workload: told, openedBy: told },
  },
  approval: {
    of: {
      type: 'approval',
      approval: {
        id: 'apr_aabbbbbbbbbbbbbb',
        group: 'sre',
        workload: everything,
        onBehalfOf: ANN,
        target: TICKETS,
        access: [{ path: 'x', actions: ['read'] }],
        purpose: 'p',
      },
    },
    told: {
      type: 'approval',
      id: 'apr_aabbbbbbbbbbbbbb',
      group: 'sre',
      workload: told,
      onBehalfOf: toldAnn,
      target: TICKETS,
      access: [{ path: 'x', actions: ['read'] }],
      purpose: 'p',
    },
  },
  broker: { of: { type: 'broker' }, told: { type: 'broker' } },
} as const satisfies { [T in PolicyResource['type']]: { of: Extract<PolicyResource, { type: T }>; told: object } };

/** What a verb can come with, and what is told of it. */
const CONTEXTS = {
  revocation: {
    of: { kind: 'task', value: 'x', effect: 'end', dryRun: true },
    told: { kind: 'task', value: 'x', effect: 'end', dryRun: true },
  },
  run: { of: { issuer: 'lab', run: '1', own: true }, told: { issuer: 'lab', run: '1', own: true } },
  emergency: { of: { own: true }, told: { own: true } },
  opening: {
    of: { lifetimeSeconds: 60, onBehalfOf: ANN, principalProven: true, ...above },
    told: {
      lifetimeSeconds: 60,
      onBehalfOf: toldAnn,
      principalProven: true,
      delegationDepth: 1,
      delegatedBy: { ...told, id: 'lab:planner' },
      chain: [
        { ...told, id: 'lab:planner' },
        { type: 'workload', id: 'ci:other', issuer: 'ci', owner: 'sre' },
      ],
      chainOwners: ['sre'],
    },
  },
} satisfies { [M in Exclude<keyof OperateContext, 'kind'>]-?: { of: OperateContext[M]; told: object } };

const operate = (context: Partial<OperateContext>) => toOperate('x', { type: 'broker' }, everything, context);

describe('A question', () => {
  it('is what docs/policy.md shows', () => {
    const page = readFileSync('docs/policy.md', 'utf8');
    const shown = JSON.parse(/OPA by[^]*?```json\n([^]*?)```/.exec(page)?.[1] ?? '') as unknown;
    const by = { ...everything, unread: [] };
    const [orchestrator, handing] = [workload('lab:orchestrator'), workload('lab:planner')].map(refOf);
    const query = toAccess('incident/4711', 'read', {
      by,
      context: {
        purpose: 'triage',
        purposeFrom: 'opener',
        delegationDepth: 1,
        onBehalfOf: person('staff:ann', ['oncall']),
        principalProven: true,
        ...(orchestrator && { openedBy: defined({ ...orchestrator, owner: undefined }) }),
        ...(handing && { delegatedBy: handing, chain: [handing] }),
      },
    });
    expect(questionOf(query, TARGETS)).toEqual(shown);
  });

  it('says nothing of tokens, sessions, clients and runs', () => {
    const operate = toOperate('openTask', taskOf(everything), everything, {
      opening: { lifetimeSeconds: 60, onBehalfOf: planner, principalProven: true, ...above },
    });
    for (const query of [toAccess('x', 'read', { by: everything, context }), operate])
      expect(JSON.stringify(questionOf(query, TARGETS))).not.toMatch(/SUBJECT|SESSION|CLIENT|RUN/);
  });

  it.each([
    ['incident/4711', false, []],
    ['incident/vip/7', false, ['personal', 'restricted']],
    ['incident/vip/log', false, ['internal', 'personal', 'restricted']],
    ['incident/vip', false, []],
    ['incident/*', true, []],
    ['incident/*/*', true, ['internal', 'personal', 'restricted']],
    ['incident/**', true, ['internal', 'personal', 'restricted']],
    ['a/b/*', true, ['internal']],
    ['**', true, ['internal', 'personal', 'restricted']],
  ])('about %s says whether it is a pattern, and each label that it touches', (path, pattern, sensitivity) => {
    const { resource } = questionOf(toAccess(path), TARGETS);
    expect(resource).toEqual({ type: 'resource', target: TICKETS, path, pattern, sensitivity, tags: { team: 'sre' } });
  });

  it.each(Object.values(RESOURCES))('about a $of.type has what it is', ({ of, told }) => {
    expect(questionOf(toOperate('x', of), TARGETS)).toMatchObject({ action: 'x', resource: told, context: {} });
  });

  it.each(Object.entries(CONTEXTS))('about a verb with %s has what that says', (member, { of, told }) => {
    expect(questionOf(operate({ [member]: of }), TARGETS).context).toEqual(told);
  });

  it.each([
    ['an access', toAccess('x', 'read', { context: { ...context, onBehalfOf: ANN, given: GIVEN } })],
    ...Object.entries(CONTEXTS).map(([member, { of }]): [string, PolicyQuery] => [member, operate({ [member]: of })]),
  ])('about %s has each member of the context that Cedar is told', (_of, query) => {
    const names = (of: object | undefined) => Object.keys(of ?? {}).sort();
    expect(names(questionOf(query, TARGETS).context)).toEqual(names(contextOf(query, termsOf(query))));
  });

  it('is told to AuthZEN as that standard has it', async () => {
    const asked: EvaluationRequest[] = [];
    const { url } = await serveDecisionPoint((request) => {
      asked.push(request);
      return { decision: false };
    });
    const engine = await authzenEngine(url, { targets: [target] });
    asked.length = 0;
    const query = toAccess('incident/4711', 'read', { by: everything, context });
    for (const one of [query, toOperate('readAudit', { type: 'broker' }), toOperate('readTask', taskOf(everything))])
      await engine.decide(one);
    const { principal, resource, ...rest } = questionOf(query, TARGETS);
    const { type, id, ...properties } = principal;
    expect(asked[0]).toEqual({
      subject: { type, id, properties },
      action: { name: 'read' },
      resource: { type: 'resource', id: `${TICKETS}#incident/4711`, properties: { ...resource, type: undefined } },
      context: rest.context,
    });
    expect(asked.slice(1).map((one) => [one.resource.type, one.resource.id])).toEqual([
      ['broker', 'self'],
      ['task', 'tsk_aabbbbbbbbbbbbbb'],
    ]);
  });
});

describe('The engine is asked', () => {
  it('with the token of a file, which is read anew each time', async () => {
    const seen: (string | undefined)[] = [];
    const { url } = await serve((request, response) => {
      seen.push(request.headers.authorization);
      json(response, { result: true });
    });
    const bearerFile = join(temporaryDirectory(), 'token');
    writeFileSync(bearerFile, 'one\n');
    const engine = await opaEngine(url, 'mayfly/answer', { bearerFile });
    writeFileSync(bearerFile, 'two\n');
    await engine.decide(toAccess('x'));
    expect(seen).toEqual(['Bearer one', 'Bearer two']);
  });

  it('about no pattern unless its policies know what one is', async () => {
    const { engine, asked } = await counting({ patterns: 'refuse' });
    for (const path of ['incident/*', '**']) expect(await engine.decide(toAccess(path))).toMatchObject(REFUSED);
    expect(await engine.decide(toAccess('incident/1'))).toMatchObject({ outcome: 'permit' });
    expect(asked()).toBe(1);
  });

  it('about nothing that makes no sense, for it may permit everything', async () => {
    const { engine, asked } = await counting();
    const opening = { lifetimeSeconds: 60, onBehalfOf: planner, principalProven: true, ...nobodyAbove };
    const queries = [
      toAccess('x', 'raed'),
      toAccess('x', 'revoke'),
      toAccess('x', 'constructor'),
      toAccess('x', 'read', { target: 'https://other.example' }),
      toAccess('a//b'),
      toAccess('x', 'read', { context: { onBehalfOf: planner } }),
      toOperate('openTask', taskOf(everything), everything, { opening }),
      toOperate('introspect', { type: 'target', target: 'https://other.example' }),
      toOperate('introspect', { type: 'broker' }),
      toOperate('toString', { type: 'broker' }),
    ];
    for (const query of queries) expect(await engine.decide(query)).toMatchObject(REFUSED);
    expect(asked()).toBe(0);
  });

  it('once for each pair of a request, and of too many none', async () => {
    const { engine } = await counting();
    const queries = (count: number) => Array.from({ length: count }, () => toAccess('x'));
    expect([0, 1, 96, 97].map((count) => engine.evaluationsOf(queries(count)))).toEqual([0, 1, 96, undefined]);
  });

  it('again only to see that it answers, if it was silent for ten seconds or has failed', async () => {
    const clock = handClock();
    const { engine, asked } = await counting({ clock });
    const looks = async () => [await engine.source(), asked()] as const;
    const first = await looks();
    expect(first).toEqual([engine.digest, 0]);
    clock.advance(9_999);
    expect(await looks()).toEqual(first);
    clock.advance(1);
    expect(await looks()).toEqual([engine.digest, 1]);
    expect(await looks()).toEqual([engine.digest, 1]);
  });
});

const REFUSED = { outcome: 'deny', policies: [], because: { why: 'no-permit', policies: [] } };

/** An engine that permits everything, and how often it was asked since it was opened. */
async function counting(wish: RemoteWish = {}) {
  let count = 0;
  const { url } = await serve((_, response) => {
    count += 1;
    json(response, { result: true });
  });
  const engine = await opaEngine(url, 'mayfly/answer', wish);
  const before = count;
  return { engine, asked: () => count - before };
}

it('A verb of the broker cannot be an action that is granted: whoever may use the verb would get credentials', async () => {
  const { url } = await serve((_, response) => json(response, { result: true }));
  await expect(opaEngine(url, 'x', { actions: ['read', 'revoke'] })).rejects.toThrow(
    'policy.actions has "revoke", which is a verb of the broker itself.',
  );
});

describe('An answer', () => {
  const answering = async (answer: unknown, query = toAccess('x')) => {
    const { url } = await serve((_, response) => json(response, { result: answer }));
    return (await opaEngine(url, 'x')).decide(query);
  };
  const digest = expect.stringMatching(/^[\w-]{43}$/);

  it('may be true or false, and nothing else', async () => {
    expect(await answering(true)).toEqual({ outcome: 'permit', lifetimeSeconds: 300, policies: [], digest });
    expect(await answering(false)).toEqual({ ...REFUSED, digest });
  });

  it('never gives more time than was asked', async () => {
    expect(await answering({ allow: true, lifetimeSeconds: 3_600 })).toMatchObject({ lifetimeSeconds: 300 });
    expect(await answering({ allow: true, lifetimeSeconds: 60 })).toMatchObject({ lifetimeSeconds: 60 });
    const opening = { opening: { lifetimeSeconds: 900, principalProven: false, ...nobodyAbove } };
    const open = toOperate('openTask', taskOf(workload()), workload(), opening);
    expect(await answering({ allow: true, lifetimeSeconds: 60 }, open)).toMatchObject({ lifetimeSeconds: 60 });
  });

  it.each([true, false])('that names an approval waits for it, whatever it allows: %s', async (allow) => {
    const answer = { allow, approvals: ['b', 'a', 'a', 'given'], policies: ['p'] };
    expect(await answering(answer, toAccess('x', 'read', { context: { approvals: ['given'] } }))).toEqual({
      outcome: 'needs-approval',
      needs: ['a', 'b'].map((group) => ({ group, approvers: 1 })),
      wantedBy: ['p'],
      lifetimeSeconds: 300,
      policies: ['p'],
      digest,
    });
    const given = toAccess('x', 'read', { context: { approvals: ['a', 'b', 'given'] } });
    expect((await answering(answer, given)).outcome).toBe(allow ? 'permit' : 'deny');
    // Nobody can approve a verb.
    const verb = toOperate('readAudit', { type: 'broker' });
    expect(await answering(answer, verb)).toMatchObject({ outcome: 'deny' });
  });

  it('that hides its policies from callers says nothing but that no permit applies', async () => {
    const answer = { allow: false, policies: ['tripwire'], reveal: false };
    expect(await answering(answer)).toEqual({ ...REFUSED, policies: ['tripwire'], secret: true, digest });
    expect(await answering({ ...answer, reveal: true })).toEqual({
      outcome: 'deny',
      policies: ['tripwire'],
      because: { why: 'forbidden', policies: ['tripwire'] },
      digest,
    });
  });
});

describe('Which policies decided', () => {
  const asked = async (provenance: object | undefined, answer: unknown, wish: RemoteWish = {}) => {
    const { url } = await serve((_, response) => json(response, { result: answer, provenance }));
    const { digest, named } = await opaEngine(url, 'x', wish);
    return { digest, named };
  };
  const bundles = (revisions: Record<string, string | undefined>) => ({
    version: '1.22.3',
    bundles: Object.fromEntries(Object.entries(revisions).map(([name, revision]) => [name, { revision }])),
  });

  it('is the revision of every bundle, and what the answer says', async () => {
    const { named } = await asked(bundles({ main: 'v1', extra: 'v2' }), true);
    expect(named).toBe('extra=v2 main=v1');
    const both = await asked(bundles({ main: 'v1' }), { allow: true, digest: 'd' });
    expect(both.named).toBe('main=v1 digest=d');
    const one = await asked(undefined, { allow: true, digest: 'd' });
    expect(one.named).toBe('digest=d');
  });

  it.each([
    ['no provenance', undefined],
    ['no bundles', { version: '1.22.3' }],
    ['a bundle without a revision beside another', bundles({ main: 'v1', extra: undefined })],
    ['an empty revision', bundles({ main: '' })],
  ])('is not named: %s', async (_, provenance) => {
    expect((await asked(provenance, true)).named).toBe('not named by the engine');
  });

  it('is kept as a hash where it is no name', async () => {
    const { named } = await asked(undefined, { allow: true, digest: 'two\nlines' });
    expect(named).toMatch(/^sha256=[\w-]{43}$/);
  });

  it('has another digest for another name, or other facts about targets, and the same at another address', async () => {
    const answer = (name: string) => ({ allow: true, digest: name });
    const digestOf = async (...of: Parameters<typeof asked>) => (await asked(...of)).digest;
    const first = await digestOf(undefined, answer('a'));
    expect(await digestOf(undefined, answer('a'))).toBe(first);
    const others = [
      await digestOf(undefined, answer('b')),
      await digestOf(undefined, answer('a'), { targets: [target] }),
      await digestOf(undefined, answer('a'), { patterns: 'refuse' }),
      await digestOf(undefined, true),
    ];
    expect(new Set([first, ...others]).size).toBe(5);
  });

  describeWithOpaCommand(`by the bundles of ${WHICH_OPA}`, () => {
    it('is in the very next decision after OPA has another bundle', async () => {
      const bundle = join(temporaryDirectory(), 'bundle');
      mkdirSync(bundle);
      cpSync('config/policies/example.rego', join(bundle, 'example.rego'));
      const revise = (revision: string) =>
        writeFileSync(join(bundle, '.manifest'), JSON.stringify({ revision, roots: ['mayfly'] }));
      revise('v1');
      const { url } = await startOpa('--watch', '--bundle', bundle);
      const engine = await opaEngine(url, 'mayfly/answer');
      const decided = async () => (await engine.decide(toAccess('incident/1'))).digest;
      const first = await decided();
      expect(engine.named).toBe(`${bundle}=v1 digest=example 1`);
      revise('v2');
      await until(async () => (await decided()) !== first, 'OPA does not take the bundle');
      expect([engine.named, engine.digest]).toEqual([`${bundle}=v2 digest=example 1`, await decided()]);
    });
  });
});
