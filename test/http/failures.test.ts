/** When the broker itself fails: one generic sentence outside, everything else inside, and never a half answer. */
import { Agent, request, type RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { listen } from '../../src/compose/listen.js';
import { systemClock } from '../../src/domain/time.js';
import { type Endpoint } from '../../src/http/wire/endpoint.js';
import { requestListener } from '../../src/http/wire/route.js';
import { StoreUnavailable } from '../../src/store/store.js';
import { createLogger } from '../../src/telemetry/log.js';
import { createMetrics } from '../../src/telemetry/metrics.js';
import { createRequestLog } from '../../src/telemetry/request-log.js';
import { startBroker } from '../support/brokers/http.js';
import { calls, exchangeForm } from '../support/calls.js';
import { expectOAuthRefusal, expectProblem } from '../support/expect-refusal.js';

async function serving(handle: Endpoint['handle'], refusals: Endpoint['refusals'] = 'problem') {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', destination: { write: (line) => void lines.push(line) } });
  const deps = {
    requests: createRequestLog(log, 1),
    metrics: createMetrics(systemClock),
    issuer: 'http://127.0.0.1:1',
  };
  const app = requestListener(deps, [{ method: 'GET', path: '/it', refusals, bodyBytes: 0, handle }]);
  const listener = await listen(app, '127.0.0.1:0');
  return { ...calls(listener.url), close: () => listener.close({ patienceMs: 100 }), logged: () => lines.join('') };
}

describe('a bug', () => {
  it('is 500 with a generic sentence; the log has it, under the id of the request', async () => {
    const server = await serving(() => Promise.reject(new TypeError('reading secret of undefined')));
    const reply = await server.get('/it', undefined, { 'x-request-id': 'bug-1' });
    expectProblem(reply, 500, 'server_error', /its log has the reason/);
    expect(reply.text).not.toContain('secret');
    expect(server.logged()).toMatch(/"level":"error".*"requestId":"bug-1".*"type":"TypeError"/);
    await server.close();
  });

  it('is answered in the format of its endpoint', async () => {
    const server = await serving(() => Promise.reject(new Error('boom')), 'oauth');
    expectOAuthRefusal(await server.get('/it'), 500, 'server_error');
    await server.close();
  });
});

it('a log that fails ends the connection of its request, and nothing else', async () => {
  let fails = true;
  const requests = {
    write() {
      if (fails) throw new Error('no log');
    },
  };
  const deps = { requests, metrics: createMetrics(systemClock), issuer: 'http://127.0.0.1:1' };
  const handle = () => Promise.resolve({ status: 200 });
  const served = requestListener(deps, [{ method: 'GET', path: '/it', refusals: 'problem', bodyBytes: 0, handle }]);
  const listener = await listen(served, '127.0.0.1:0');
  await fetch(`${listener.url}/it`).catch(() => undefined);
  fails = false;
  expect((await fetch(`${listener.url}/it`)).status).toBe(200);
  await listener.close({ patienceMs: 100 });
});

it('a store that does not answer is 503 with Retry-After', async () => {
  const server = await serving(() => Promise.reject(new StoreUnavailable('ECONNREFUSED 10.0.0.1')));
  const reply = await server.get('/it');
  expectProblem(reply, 503, 'temporarily_unavailable');
  expect(reply.headers.get('retry-after')).toBe('1');
  expect(reply.text).not.toContain('10.0.0.1');
  await server.close();
});

it('an answer that breaks off does not look whole', async () => {
  async function* broken() {
    yield 'first line\n';
    await Promise.reject(new Error('the store is gone'));
  }
  const server = await serving(() => Promise.resolve({ status: 200, body: broken() }));
  await expect(server.get('/it')).rejects.toThrow();
  await server.close();
});

describe('shutting down', () => {
  it('lets what is in flight finish, accepts nothing new, and ends', async () => {
    const broker = await startBroker();
    const body = new URLSearchParams(exchangeForm(await broker.identity('agent-7'))).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length };
    const agent = new Agent({ keepAlive: true }); // It would keep the connection for as long as the broker lets it.
    const inFlight = request(`${broker.url}/token`, { method: 'POST', headers, agent });
    inFlight.write(body.slice(0, 100));
    await once(inFlight, 'socket');
    await broker.get('/jwks'); // By now the first one has arrived.
    const closed = broker.close();
    inFlight.end(body.slice(100));
    const [response] = (await once(inFlight, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(200);
    await closed;
    await expect(broker.get('/jwks')).rejects.toThrow();
  });

  it('does not wait for clients that send no request, nor the whole of its head, while others are answered', async () => {
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const app: RequestListener = ({ url }, response) =>
      void (url === '/slow' ? finished : Promise.resolve()).then(() => response.end(url));
    const listener = await listen(app, '127.0.0.1:0');
    const open = async (bytes: string) => {
      const socket = connect(Number(new URL(listener.url).port), '127.0.0.1');
      await once(socket, 'connect');
      socket.write(bytes);
      return socket;
    };
    const head = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const [silent, half, second, late, slow] = await Promise.all(
      ['', 'GET /half HTTP/1.1\r\nHo', `${head('/first')}GET /sec`, 'GET /late HT', head('/slow')].map(open),
    );
    expect(await (await fetch(`${listener.url}/quick`)).text()).toBe('/quick'); // By now the others have arrived.
    // Far longer than the test may take.
    const closed = listener.close({ patienceMs: 600_000 });
    late!.write('TP/1.1\r\nHost: x\r\n\r\n');
    const heard = async (socket: Socket | undefined) => String(Buffer.concat(await socket!.toArray()));
    expect(await Promise.all([silent, half, second, late].map(heard))).toEqual([
      '',
      '',
      expect.stringMatching(/\/first$/),
      expect.stringMatching(/\/late$/),
    ]);
    finish();
    expect(await heard(slow)).toMatch(/\/slow$/);
    await closed;
  });

  it('and starting again on the same store: what lived lives, what was dead is dead', async () => {
    const first = await startBroker();
    const agent = await first.identity('agent-7');
    const minted = async () => (await first.exchange(agent)).body as { access_token: string; task_id: string };
    const [living, dead] = [await minted(), await minted()];
    await first.post(`/tasks/${dead.task_id}/complete`, { outcome: 'completed' }, agent);
    const second = await first.again();
    const api = await second.identity('tickets-api');
    expect((await second.introspect(living.access_token, api)).body).toMatchObject({ active: true });
    expect((await second.introspect(dead.access_token, api)).body).toEqual({ active: false });
  });
});
