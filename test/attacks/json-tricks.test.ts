/** JSON that says one thing to a reader and another to a parser. The stake: a preview that revokes, a field that is ignored. */
import { beforeAll, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { expectProblem } from '../support/expect-refusal.js';

const SELECTOR = '"selector":{"kind":"workload","value":"lab:agent-7"},"reason":"x"';
let broker: TestBroker;
let soc: string;
let token: string;
beforeAll(async () => {
  broker = await startBroker();
  soc = await broker.identity('soc');
  const { body } = await broker.exchange(await broker.identity('agent-7'));
  token = (body as { access_token: string }).access_token;
});
const isActive = async () =>
  ((await broker.introspect(token, await broker.identity('tickets-api'))).body as { active: boolean }).active;

it.each([
  ['a misspelt dryRun', `{${SELECTOR},"dryrun":true}`],
  ['another spelling', `{${SELECTOR},"dry_run":true}`],
  ['dryRun as text', `{${SELECTOR},"dryRun":"true"}`],
  ['dryRun as number', `{${SELECTOR},"dryRun":1}`],
  ['dryRun as null', `{${SELECTOR},"dryRun":null}`],
  ['dryRun twice', `{${SELECTOR},"dryRun":true,"dryRun":false}`],
  ['dryRun twice, once escaped', `{${SELECTOR},"dryRun":true,"dry\\u0052un":false}`],
  ['the selector twice', `{${SELECTOR},"selector":{"kind":"all"},"dryRun":true}`],
  ['a value twice', '{"selector":{"kind":"workload","value":"lab:x","value":"lab:agent-7"},"reason":"x"}'],
  ['__proto__', `{${SELECTOR},"__proto__":{"dryRun":true}}`],
  ['__proto__ in the selector', '{"selector":{"kind":"all","__proto__":{"value":""}},"reason":"x"}'],
  ['constructor', `{${SELECTOR},"constructor":{"prototype":{"dryRun":true}}}`],
  ['selector and leaked', `{${SELECTOR},"leaked":"x"}`],
  ['neither', '{"reason":"x"}'],
  ['a list of orders', `[{${SELECTOR}}]`],
  ['a comment', `{${SELECTOR} /* "dryRun":true */}`],
  ['a comma too many', `{${SELECTOR},}`],
  ['two documents', `{${SELECTOR}}{${SELECTOR}}`],
  ['a byte order mark and a null', `\ufeff{${SELECTOR}}\0`],
  ['a lone surrogate', '{"selector":{"kind":"workload","value":"lab:\\ud800"},"reason":"x"}'],
  ['brackets without end', '['.repeat(30_000)],
  ['an object as deep as the body allows', `${'{"a":'.repeat(8_000)}1${'}'.repeat(8_000)}`],
  ['text', '"selector"'],
  ['null', 'null'],
])('%s is refused, and revokes nothing', async (_, body) => {
  expectProblem(await broker.post('/revocations', body, soc), 400, 'invalid_request');
  expect(await isActive()).toBe(true);
  expect({}).not.toHaveProperty('dryRun');
});

it('authorization details with a field twice, unknown or inherited are refused, never read as the narrower one', async () => {
  const agent = await broker.identity('agent-7');
  const detail = `"type":"task_access","locations":["${TICKETS}"],"identifier":"incident/1"`;
  for (const more of [
    '"actions":["read"],"__proto__":{}',
    '"actions":["read"],"privileges":["all"]',
    '"actions":"read"',
    '"actions":["read"],"identifier":"incident/2"',
    '"actions":["read"],"act\\u0069ons":["write"]',
  ]) {
    const reply = await broker.exchange(agent, { scope: undefined, authorization_details: `[{${detail},${more}}]` });
    expect([reply.status, (reply.body as { error: string }).error]).toEqual([400, 'invalid_authorization_details']);
  }
});
