/** Paths and actions written to mean one thing to the broker and another to the target. Policy here permits everything. */
import { beforeAll, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { expectOAuthRefusal } from '../support/expect-refusal.js';

let broker: TestBroker;
let agent: string;
beforeAll(async () => {
  broker = await startBroker({ policies: '@id("all") permit (principal, action in Action::"access", resource);' });
  agent = await broker.identity('agent-7');
});

const PATHS: [string, string][] = [
  ['a parent', 'incident/../customer/1'],
  ['a parent at the end', 'incident/..'],
  ['itself', './incident'],
  ['an empty segment', 'incident//1'],
  ['a slash before', '/incident'],
  ['a slash behind', 'incident/'],
  ['an encoded slash', 'incident%2F1'],
  ['an encoded parent', 'incident/%2e%2e/customer'],
  ['a doubly encoded slash', 'incident%252f1'],
  ['a backslash', 'incident\\1'],
  ['an alternative', 'a|b'],
  ['a group', '(a)'],
  ['a class', '[ab]'],
  ['an anchor', '^incident$'],
  ['a star within a segment', 'inc*dent'],
  ['a star behind a word', 'incident*/1'],
  ['** in the middle', 'incident/**/1'],
  ['three stars', 'incident/***'],
  ['a question mark', 'incident/1?x'],
  ['a fragment', 'incident/1#x'],
  ['a semicolon', 'incident;v=1/1'],
  ['a quotation mark', 'incident/"1"'],
  ['a null byte', 'incident/1\0'],
  ['a line break', 'incident/1\nx'],
  ['a full-width dot', 'incident/．．/x'],
  ['a letter that looks like another', 'incіdent/1'],
  ['a letter in pieces', 'incide\u0301nt'],
  ['text that runs backwards', 'incident/\u202e1'],
  ['nine segments', 'a/b/c/d/e/f/g/h/i'],
  ['257 characters', 'x'.repeat(257)],
];

it.each(PATHS)('%s is refused, as scope and as authorization details', async (_, path) => {
  expectOAuthRefusal(await broker.exchange(agent, { scope: `${path}:read` }), 400, 'invalid_scope');
  const details = JSON.stringify([{ type: 'task_access', locations: [TICKETS], identifier: path, actions: ['read'] }]);
  const reply = await broker.exchange(agent, { scope: undefined, authorization_details: details });
  expectOAuthRefusal(reply, 400, 'invalid_authorization_details');
});

it('33 pairs are too many, however they are spread', async () => {
  const scope = (count: number, from = 0) => Array.from({ length: count }, (_, n) => `p/${from + n}:read`).join(' ');
  const details = (count: number) =>
    JSON.stringify(
      Array.from({ length: count }, (_, n) => ({
        ...{ type: 'task_access', locations: [TICKETS] },
        ...{ identifier: `q/${n}`, actions: ['read', 'write'] },
      })),
    );
  expect((await broker.exchange(agent, { scope: scope(32) })).status).toBe(200);
  expectOAuthRefusal(await broker.exchange(agent, { scope: scope(33) }), 400, 'invalid_request', /At most 32/);
  const spread = await broker.exchange(agent, { scope: scope(17), authorization_details: details(8) });
  expectOAuthRefusal(spread, 400, 'invalid_request', /At most 32/);
});

it('what is granted is exactly what was asked, letter for letter', async () => {
  const { body } = await broker.exchange(agent, { scope: 'a@b=c,d+e~f:g/..x/x..:read' });
  expect(body).toMatchObject({
    scope: 'a@b=c,d+e~f:g/..x/x..:read',
    authorization_details: [{ identifier: 'a@b=c,d+e~f:g/..x/x..', actions: ['read'], locations: [TICKETS] }],
  });
});
