/** The log has one line for each request, which its X-Request-ID finds: who, what, and what came of it, and no secret. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { LINES_PER_MINUTE } from '../../src/telemetry/request-log.js';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { calls } from '../support/calls.js';
import { FOR_BROWSERS, FOR_EVERYBODY, ROUTES } from '../support/contracts.js';
import { until } from '../support/until.js';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const CANARY = 'canary3f9c1b';

let broker: TestBroker;
let agent: string;

beforeAll(async () => {
  broker = await startBroker();
  agent = await broker.identity('agent-7');
});

interface Line extends Record<string, unknown> {
  msg: string;
}
const lines = (from = broker): Line[] =>
  from
    .logged()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

let asked = 0;
/** Returns the lines about one request, which is sent with an id of its own. */
async function linesOf(ask: (id: { 'x-request-id': string }) => Promise<unknown>): Promise<Line[]> {
  const id = `asked-${(asked += 1)}`;
  await ask({ 'x-request-id': id });
  return lines().filter(({ requestId }) => requestId === id);
}

const OAUTH = ['/token', '/revoke', '/introspect'];
/** Machines ask for these every few seconds. */
const OPERATIONS = ['/health/live', '/health/ready', '/metrics'];

describe('every request', () => {
  it.each(ROUTES)(
    'of $method $path has one line with its route and its caller, and nothing of what was sent',
    async (route) => {
      const { method, path } = route;
      const sent = path.replace(':id', CANARY).replace(':seq', '1').replace(/\*\w+/, CANARY);
      const isForm = OAUTH.includes(path);
      const found = await linesOf((id) =>
        (OPERATIONS.includes(path) ? calls(broker.operationsUrl) : broker).send(`${sent}?subject_token=${CANARY}`, {
          method,
          headers: {
            authorization: `Bearer ${agent}`,
            'content-type': `application/${isForm ? 'x-www-form-urlencoded' : 'json'}`,
            ...id,
          },
          ...(isForm && {
            body: new URLSearchParams({
              grant_type: 'x',
              subject_token: agent,
              subject_token_type: JWT,
              token: CANARY,
            }),
          }),
        }),
      );
      expect(found).toEqual([
        expect.objectContaining({
          endpoint: path,
          method,
          status: expect.any(Number),
          milliseconds: expect.any(Number),
        }),
      ]);
      expect(found[0]?.['level']).toBe(OPERATIONS.includes(path) ? 'debug' : 'info');
      // /token proves nobody before it has the proofs, POST /signals is signed by whoever speaks, a gateway asks as nobody.
      const nobody = [
        ...FOR_EVERYBODY,
        ...FOR_BROWSERS,
        ...OPERATIONS,
        '/token',
        '/signals',
        '/forward-auth/:name',
        '/forward-auth/:name/*path',
      ];
      if (!nobody.includes(path)) expect(found[0]?.['workload']).toBe('lab:agent-7');
      expect(JSON.stringify(found)).not.toContain(CANARY);
    },
  );

  it('whose body does not come to its end has the reason', async () => {
    const socket = connect(Number(new URL(broker.url).port), '127.0.0.1');
    const head = 'POST /token HTTP/1.1\r\nHost: x\r\nX-Request-ID: half\r\nContent-Length: 10\r\n';
    socket.write(`${head}Expect: 100-continue\r\n\r\nhalf`);
    await once(socket, 'data'); // The broker waits for the body.
    socket.destroy();
    const found = () => lines().filter(({ requestId }) => requestId === 'half');
    await until(() => found().length > 0, 'the request has no line');
    expect(found()).toMatchObject([{ status: 400, reason: 'The body could not be read.' }]);
  });

  it('under no path of the route table is of the endpoint "unknown"', async () => {
    const found = await linesOf((id) => broker.get(`/${CANARY}`, undefined, id));
    expect(found).toMatchObject([{ endpoint: 'unknown', status: 404, code: 'not_found' }]);
    expect(JSON.stringify(found)).not.toContain(CANARY);
  });
});

describe('the line of an exchange', () => {
  it('names workload, target and task', async () => {
    let task: unknown;
    const found = await linesOf(async (id) => {
      task = ((await broker.exchange(agent, {}, id)).body as { task_id: string }).task_id;
    });
    expect(found).toEqual([
      {
        level: 'info',
        time: expect.any(String),
        msg: 'request',
        requestId: expect.any(String),
        address: '127.0.0.1',
        endpoint: '/token',
        method: 'POST',
        status: 200,
        workload: 'lab:agent-7',
        target: TICKETS,
        task,
        milliseconds: expect.any(Number),
      },
    ]);
  });

  it('names the person who is served, and why policy refused', async () => {
    const ada = await broker.person('ada');
    const wish = { actor_token: agent, actor_token_type: JWT, scope: 'incident/4711:write' };
    expect(await linesOf((id) => broker.exchange(ada, wish, id))).toMatchObject([
      {
        level: 'info',
        status: 400,
        code: 'access_denied',
        reason: expect.stringMatching(/^No policy permits /),
        decisionId: expect.stringMatching(/^dec_/),
        workload: 'lab:agent-7',
        person: 'staff:ada',
        target: TICKETS,
      },
    ]);
  });

  it('does not repeat a target that is not configured, nor an id that is none', async () => {
    const wish = { resource: `https://${CANARY}`, task_id: CANARY, purpose: undefined };
    const [line] = await linesOf((id) => broker.exchange(agent, wish, id));
    expect(line).toMatchObject({ code: 'invalid_target', workload: 'lab:agent-7' });
    expect(JSON.stringify(line)).not.toContain(CANARY);
  });
});

describe('the line of a proof that is not accepted', () => {
  it('has the reason, and the issuer and key that it claims, marked as claimed', async () => {
    const forged = await broker.lab.token({ sub: 'agent-7', iss: 'https://elsewhere.example', aud: broker.url });
    expect(await linesOf((id) => broker.exchange(forged, {}, id))).toMatchObject([
      {
        code: 'invalid_request',
        reason: 'The subject token comes from no issuer that is trusted here.',
        claimed: { iss: 'https://elsewhere.example', kid: expect.any(String) },
      },
    ]);
  });

  it.each([
    ['a slash at its end', (iss: string) => `${iss}/`],
    ['another case', (iss: string) => iss.toUpperCase()],
    ['http', (iss: string) => iss.replace('https:', 'http:')],
  ])(
    'says which trusted issuer its own is near to, where they differ by %s; the caller learns nothing',
    async (_, near) => {
      const iss = near(broker.lab.url);
      const present = async (id: Record<string, string>, from: string) =>
        broker.exchange(await broker.lab.token({ iss: from, aud: broker.url }), {}, id);
      const [line] = await linesOf((id) => present(id, iss));
      expect(line).toMatchObject({
        advice: `The token comes from ${iss}, and trust entry lab trusts ${broker.lab.url}: the two are compared byte for byte.`,
      });
      const { body } = await present({}, iss);
      expect(body).toEqual((await present({}, 'https://elsewhere.example')).body);
      expect(await linesOf((id) => present(id, 'https://elsewhere.example'))).not.toMatchObject([
        { advice: expect.anything() },
      ]);
    },
  );

  it('of an event says so too', async () => {
    const iss = 'https://idp.example';
    const jwks = { file: './lab.json' };
    const transmitter = { name: 'idp', issuer: `${iss}/`, audience: broker.url, jwks, about: ['lab'] };
    const listener = await startBroker({ config: { signals: { transmitters: [transmitter] } } });
    const body = await listener.lab.token({ iss });
    const headers = { 'content-type': 'application/secevent+jwt' };
    const answer = await listener.send('/signals', { method: 'POST', body, headers });
    expect(answer.text).not.toContain('idp.example');
    expect(lines(listener).at(-1)).toMatchObject({
      advice: `The token comes from ${iss}, and signals.transmitters entry idp trusts ${iss}/: the two are compared byte for byte.`,
    });
  });

  it('keeps what is claimed short, on one line, and free of tokens', async () => {
    const iss = `a\u2028\u202e${agent}${'x'.repeat(500)}`;
    const forged = await broker.lab.token({ sub: 'agent-7', iss, aud: broker.url });
    const [line] = await linesOf((id) => broker.get('/tasks/x', forged, id));
    const { claimed, workload } = line as { claimed?: { iss: string }; workload?: string };
    expect(workload).toBeUndefined();
    expect(claimed?.iss).toMatch(/^a\?\?\[jwt\]/);
    expect(claimed?.iss.length).toBeLessThanOrEqual(128);
  });

  it('of an event has them too', async () => {
    const headers = { 'content-type': 'application/secevent+jwt' };
    const push = (id: object) =>
      broker.send('/signals', { method: 'POST', body: agent, headers: { ...headers, ...id } });
    expect(await linesOf(push)).toMatchObject([
      { status: 400, reason: expect.any(String), claimed: { iss: broker.lab.url } },
    ]);
  });
});

it('a flood of strangers ends in a count, takes no line from proven callers, and a new minute begins anew', async () => {
  const flooded = await startBroker();
  const before = lines(flooded).length;
  for (let sent = 0; sent < LINES_PER_MINUTE + 50; sent += 50)
    await Promise.all(Array.from({ length: 50 }, () => flooded.exchange('a.b.c')));
  await flooded.exchange(await flooded.identity('agent-7'));
  const during = lines(flooded).slice(before);
  expect(during.filter(({ status }) => status === 400)).toHaveLength(LINES_PER_MINUTE);
  expect(during.filter(({ status }) => status === 200)).toMatchObject([{ workload: 'lab:agent-7' }]);
  await flooded.work('refusals');
  await flooded.exchange('a.b.c');
  expect(lines(flooded).slice(-2)).toMatchObject([
    { level: 'warn', unlogged: 50, msg: 'requests were counted and not logged one by one' },
    { status: 400, endpoint: '/token' },
  ]);
});
