/** What a target gives to clients that know no task: other names, plain scopes, a default access and a default purpose. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import type { Reply } from '../support/calls.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';

const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const READ = 'incident/**:read';
const PERMITS = `
@id("triage") permit (principal, action == Action::"read", resource) when { context.purposeFrom == "default" };
@id("open-triage") permit (principal, action == Action::"openTask", resource);`;

interface Granted {
  access_token: string;
  scope: string;
  task_id: string;
}

let broker: TestBroker;
beforeAll(async () => {
  broker = await startBroker({
    config: {
      targets: [
        {
          resource: TICKETS,
          minter: 'jwt',
          audiences: ['tickets', 'https://tickets.internal'],
          scopes: { 'tickets.read': [READ], 'tickets.all': [READ, 'incident/**:write'], both: ['incident/**:read'] },
          defaultAccess: ['incident/4711:read'],
          defaultPurpose: 'tool-use',
        },
        { resource: WIKI, minter: 'jwt', scopes: { both: ['page/**:read'], 'wiki.read': ['page/**:read'] } },
      ],
    },
    policies: PERMITS,
  });
});

const ask = async (wish: Record<string, string> = {}, sub = 'agent-7'): Promise<Reply> =>
  broker.form('/token', {
    grant_type: 'client_credentials',
    client_assertion_type: ASSERTION,
    client_assertion: await broker.identity(sub),
    resource: TICKETS,
    ...wish,
  });
const granted = async (...asked: Parameters<typeof ask>): Promise<Granted> => {
  const { status, body, text } = await ask(...asked);
  if (status !== 200) throw new Error(text);
  return body as Granted;
};
const introspected = async ({ access_token: token }: Granted) =>
  (await broker.introspect(token, await broker.identity('tickets-api'))).body;

describe('a request that says nothing but the target', () => {
  it('asks for its default access, under its default purpose, which policy can tell from a stated one', async () => {
    expect(await introspected(await granted())).toMatchObject({
      aud: TICKETS,
      scope: 'incident/4711:read',
      task: { purpose: 'tool-use' },
    });
  });

  it.each([
    ['another name as resource', { resource: 'tickets' }],
    ['another name as audience', { resource: '', audience: 'https://tickets.internal' }],
    ['two names of one target', { resource: TICKETS, audience: 'tickets' }],
    ['a scope that only one target has', { resource: '', scope: 'tickets.read' }],
  ])('takes %s', async (_what, wish) => {
    expect(await introspected(await granted(wish))).toMatchObject({ aud: TICKETS });
  });

  it.each([
    ['names of two targets', { resource: TICKETS, audience: WIKI }, 'invalid_target', /one target/],
    ['a scope that two targets have', { resource: '', scope: 'both' }, 'invalid_target', /Several targets/],
    ['a scope that no target has', { resource: '', scope: 'none' }, 'invalid_request', /resource is missing/],
    [
      'scopes of which each target has one',
      { resource: '', scope: 'tickets.read wiki.read' },
      'invalid_request',
      /missing/,
    ],
    ['a scope of another target', { scope: 'wiki.read' }, 'invalid_scope', /or be tickets\.read, tickets\.all, both;/],
    ['a word of the language as a scope', { scope: 'constructor' }, 'invalid_scope', /path/],
    [
      'no purpose where the target has none',
      { resource: WIKI, scope: 'wiki.read' },
      'invalid_request',
      /no default purpose/,
    ],
    ['no access where the target has none', { resource: WIKI, purpose: 'p' }, 'invalid_request', /no default access/],
  ])('refuses %s', async (_what, wish: Record<string, string>, code, text) => {
    expectOAuthRefusal(await ask(wish), 400, code, text);
  });
});

describe('a plain scope', () => {
  it('stands in the token beside the pairs that were granted for it', async () => {
    const answer = await granted({ scope: 'tickets.read' });
    expect(answer.scope.split(' ').toSorted()).toEqual(['both', READ, 'tickets.read']);
    expect(await introspected(answer)).toMatchObject({ scope: answer.scope });
  });

  it('is not in a token that has less than all it stands for, and is asked of policy as its pairs', async () => {
    expect((await granted({ scope: 'incident/4711:read' })).scope).toBe('incident/4711:read');
    expectOAuthRefusal(await ask({ scope: 'tickets.all' }), 400, 'access_denied');
  });
});

describe('the task of a client that knows none', () => {
  it('is one for all that its workload asks for, and another after it has ended', async () => {
    const [first, second] = await Promise.all([granted({}, 'agent-9'), granted({ scope: 'tickets.read' }, 'agent-9')]);
    expect(second.task_id).toBe(first.task_id);
    expect((await granted({}, 'agent-10')).task_id).not.toBe(first.task_id);
    expect((await granted({ purpose: 'tool-use', scope: READ }, 'agent-9')).task_id).not.toBe(first.task_id);
    const orchestrator = await broker.identity('orchestrator');
    await broker.post(`/tasks/${first.task_id}/complete`, { outcome: 'completed' }, orchestrator);
    expect(await introspected(first)).toEqual({ active: false });
    expect((await granted({}, 'agent-9')).task_id).not.toBe(first.task_id);
  });

  it('gives a credential to each of 40 processes that begin at once, and for each target', async () => {
    const asked = Array.from({ length: 80 }, (_, index) =>
      granted({ scope: index % 2 === 0 ? READ : 'both' }, 'fleet'),
    );
    const tasks = new Set((await Promise.all(asked)).map(({ task_id: task }) => task));
    expect(tasks.size).toBe(1);
  });
});
