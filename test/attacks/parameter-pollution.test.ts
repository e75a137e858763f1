/** The same parameter twice, in two places, or under two names: a request that leaves open which one counts is refused. */
import { beforeAll, expect, it } from '@jest/globals';
import { exchangeForm } from '../support/calls.js';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';

let broker: TestBroker;
let agent: string;
beforeAll(async () => {
  broker = await startBroker();
  agent = await broker.identity('agent-7');
});
const pairs = (...more: [string, string][]): [string, string][] => [...Object.entries(exchangeForm(agent)), ...more];
const errorOf = ({ status, body }: { status: number; body: unknown }) => [status, (body as { error?: string }).error];

it.each(Object.keys(exchangeForm('')))('%s twice is refused, with the same value too', async (name) => {
  const [, value = ''] = pairs().find(([key]) => key === name) ?? [];
  for (const second of [value, 'x']) {
    const [status, error] = errorOf(await broker.form('/token', pairs([name, second])));
    expect([status, error]).toEqual([400, name === 'resource' ? 'invalid_target' : 'invalid_request']);
  }
});

it.each(['scope[]', 'scope[0]', 'scope.0', 'SCOPE', ' scope', 'scope\0'])(
  '%j is another, unknown parameter',
  async (name) => {
    const { body } = await broker.form('/token', pairs([name, 'customer/1:read']));
    expect(body).toMatchObject({ scope: 'incident/4711:read' });
  },
);

it('parameters in the query of a POST count for nothing', async () => {
  const form = { ...exchangeForm(agent), scope: undefined };
  expect(errorOf(await broker.form('/token?scope=incident/4711:read', form))).toEqual([400, 'invalid_request']);
  const both = await broker.form('/token?scope=customer/1:read', exchangeForm(agent));
  expect(both.body).toMatchObject({ scope: 'incident/4711:read' });
});

it('two proofs at once are refused where one is taken: header and assertion', async () => {
  const assertion = {
    client_assertion: await broker.identity('tickets-api'),
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  };
  const reply = await broker.form('/introspect', { token: 'x', ...assertion }, { authorization: `Bearer ${agent}` });
  expect(errorOf(reply)).toEqual([400, 'invalid_request']);
});

it('separators that other parsers know are none here', async () => {
  const text = new URLSearchParams(exchangeForm(agent)).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const reply = await broker.send('/token', { method: 'POST', headers, body: `${text};scope=customer/1:read` });
  expect(reply.status === 400 || (reply.body as { scope: string }).scope === 'incident/4711:read').toBe(true);
});

it.each(['?limit=1&limit=2', '?limit[]=1', '?LIMIT=1', '?limit=1&__proto__=x', '?limit=1%00'])(
  'a query of %s is refused',
  async (query) => {
    expect((await broker.get(`/revocations${query}`, await broker.identity('soc'))).status).toBe(400);
  },
);

it('a resource that only looks like a target is none', async () => {
  for (const resource of [
    `${TICKETS}/`,
    `${TICKETS}#x`,
    TICKETS.toUpperCase(),
    `${TICKETS}:443`,
    `${TICKETS} `,
    '__proto__',
  ]) {
    expect(errorOf(await broker.exchange(agent, { resource }))).toEqual([400, 'invalid_target']);
  }
});

it('a question mark in a query is part of a value', async () => {
  const soc = await broker.identity('soc');
  const { body } = await broker.get('/audit?workload=lab:agent-7?y', soc);
  expect(body).toMatchObject({ lines: [] });
  const reply = await broker.send('/revocations/1?reason=over? yes&limit=1', {
    method: 'DELETE',
    headers: { authorization: `Bearer ${soc}` },
  });
  expect([reply.status, reply.text]).toEqual([400, expect.stringContaining('limit')]);
});
