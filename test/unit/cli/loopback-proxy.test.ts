/** The proxy that adds the credential of a task, between a command and an API that never asks. The broker and the API are real. */
import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import os from 'node:os';
import { startProxy } from '../../../src/cli/loopback/proxy.js';
import { mayfly, type Task } from '../../../src/client/index.js';
import { startBroker, TICKETS, type TestBroker } from '../../support/brokers/http.js';
import { until } from '../../support/until.js';

const READ = 'incident/4711:read';

let broker: TestBroker;
let identity: string;
let soc: string;
beforeAll(async () => {
  broker = await startBroker();
  const lasting = { expiresInSeconds: 86_400 };
  [identity, soc] = await Promise.all([broker.identity('agent-7', lasting), broker.identity('soc', lasting)]);
});

let passed = 0;
beforeEach(() => {
  passed = 0;
  const uptime = os.uptime.bind(os);
  jest.spyOn(os, 'uptime').mockImplementation(() => uptime() + passed);
});
/** So many seconds pass at the proxy, without anybody waiting for them. */
const pass = (seconds: number) => void (passed += seconds);

const closing: (() => unknown)[] = [];
afterEach(async () => {
  jest.restoreAllMocks();
  for (const close of closing.splice(0).reverse()) await close();
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function startApi(answer: Answer): Promise<{ url: string; seen: IncomingMessage[]; server: Server }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, server };
}

interface Wish {
  path?: string;
  allow?: string[];
  lifetimeSeconds?: number;
}

/** `asked` are the paths at the broker that the proxy has called. `away` cuts the proxy off from the broker. */
async function startAll(answer: Answer, { path = '', allow, lifetimeSeconds = 300 }: Wish = {}) {
  const api = await startApi(answer);
  const asked: string[] = [];
  const link: { away: boolean; refuses?: string } = { away: false };
  const client = mayfly({
    url: broker.url,
    identity: () => identity,
    fetch: (input, init) => {
      const { pathname } = new URL(input);
      asked.push(pathname);
      if (pathname === link.refuses) return Promise.resolve(Response.json({ code: 'not_found' }, { status: 404 }));
      return link.away ? Promise.reject(new TypeError('away')) : fetch(input, init);
    },
  });
  const task = await client.task({ purpose: 'summarise' });
  const wish = { access: READ, lifetimeSeconds };
  const proxy = await startProxy(task, { url: `${api.url}${path}`, target: TICKETS, wish, allow });
  closing.push(() => proxy.close());
  return { api, proxy, task, asked, link };
}

interface Sent {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string;
  agent?: false;
}

/** Plain HTTP, without what `fetch` would forbid or follow. */
async function send(url: string, { body, ...sent }: Sent = {}): Promise<IncomingMessage> {
  const outgoing = request(url, sent).end(body);
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  answer.on('error', () => undefined);
  return answer;
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of answer) text += String(part);
  return text;
}

async function call(url: string, sent?: Sent) {
  const answer = await send(url, sent);
  return { status: answer.statusCode, headers: answer.headers, text: await textOf(answer) };
}

const ok: Answer = (_, response) => response.end('fine');
const endOutside = async (task: Task) =>
  broker.post(`/tasks/${task.id}/complete`, { outcome: 'cancelled' }, await broker.identity('orchestrator'));
const refusal = (code: string, message: string) => JSON.stringify({ code, message });
const DEAD = 'The credential is dead: it was revoked, or its task has ended.';

/** An answer that goes on until somebody ends it. */
function stream() {
  const open: ServerResponse[] = [];
  const answer: Answer = (_, response) => {
    response.on('error', () => undefined);
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: 1\n\n');
    open.push(response);
  };
  return { open, answer };
}

describe('what passes', () => {
  it('is the whole request, with the credential in the place of whatever the command sent', async () => {
    const { api, proxy } = await startAll((request, response) => {
      void textOf(request).then((body) => {
        response.writeHead(201, { 'Set-Cookie': ['a=1', 'b=2'], 'X-Api': 'yes' }).end(body.toUpperCase());
      });
    });
    const answer = await call(`${proxy.url}/incident/4711?x=1&y=%2F`, {
      method: 'PUT',
      body: 'note',
      headers: {
        Authorization: ['Bearer forged', 'Basic forged'],
        'Proxy-Authorization': 'forged',
        Connection: 'keep-alive, X-Hop, Authorization',
        'X-Hop': '1',
        TE: 'trailers',
        Upgrade: 'websocket',
        'X-Kept': '1',
      },
    });
    expect(answer).toMatchObject({
      status: 201,
      text: 'NOTE',
      headers: { 'x-api': 'yes', 'set-cookie': ['a=1', 'b=2'] },
    });
    const [seen] = api.seen;
    expect([seen?.method, seen?.url]).toEqual(['PUT', '/incident/4711?x=1&y=%2F']);
    expect(seen?.headers).toEqual({
      authorization: expect.stringMatching(/^Bearer eyJ[\w-]+\.[\w-]+\.[\w-]+$/),
      connection: 'keep-alive',
      host: new URL(api.url).host,
      'content-length': '4',
      'x-kept': '1',
    });
    expect(seen?.rawHeaders.filter((name) => name.toLowerCase() === 'authorization')).toHaveLength(1);
    expect(JSON.stringify(answer)).not.toContain('eyJ');
  });

  it('has no credential but the one, also where nothing else is said of the forged one', async () => {
    const { api, proxy } = await startAll(ok);
    await call(`${proxy.url}/incident/4711`, { headers: { authorization: 'Bearer forged' } });
    const sent = api.seen[0]?.rawHeaders ?? [];
    expect(sent.filter((name) => name.toLowerCase() === 'authorization')).toHaveLength(1);
    expect(sent).not.toContain('Bearer forged');
  });

  it('comes while it is sent: an event is there before the next one is written', async () => {
    const { open, answer } = stream();
    const { proxy } = await startAll(answer);
    const reading = await send(`${proxy.url}/events`);
    expect(String((await once(reading, 'data'))[0])).toBe('data: 1\n\n');
    open[0]?.write('data: 2\n\n');
    expect(String((await once(reading, 'data'))[0])).toBe('data: 2\n\n');
  });

  it('is held back where the API does not read: of a body of 1 GB a few MB are taken', async () => {
    const { proxy } = await startAll((_, response) => {
      setTimeout(() => response.writeHead(413).end(), 300);
    });
    const outgoing = request(`${proxy.url}/upload`, { method: 'POST', headers: { 'Content-Length': 2 ** 30 } });
    outgoing.on('error', () => undefined);
    let taken = 0;
    const part = Buffer.alloc(2 ** 20);
    const feed = () => {
      taken += part.length;
      outgoing.write(part, (error) => {
        if (!error && taken < 2 ** 30) feed();
      });
    };
    feed();
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(413);
    expect(taken).toBeLessThan(64 * 2 ** 20);
    outgoing.destroy();
  });

  it('is held back where the command does not read', async () => {
    let written = 0;
    const { proxy } = await startAll((_, response) => {
      const part = Buffer.alloc(2 ** 20);
      const feed = () => response.write(part, (error) => (error ? undefined : ((written += part.length), feed())));
      feed();
    });
    const answer = await send(`${proxy.url}/download`);
    answer.pause();
    let before = -1;
    await until(async () => {
      if (written > 0 && written === before) return true;
      before = written;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return false;
    }, 'the proxy reads on without anybody who takes it');
    expect(written).toBeLessThan(64 * 2 ** 20);
    answer.destroy();
  });
});

/** What one server takes for the end of a request, another takes for its middle. */
const SMUGGLED = 'Content-Length: 4\r\nTransfer-Encoding: chunked';

describe('whoever does not know the address gets nothing', () => {
  const NOTHING = refusal('not_found', 'There is nothing here.');

  it.each<[string, (url: URL) => string, number, string]>([
    ['no secret', ({ origin }) => `${origin}/incident/4711`, 404, NOTHING],
    ['another secret', ({ origin }) => `${origin}/${'A'.repeat(43)}/incident/4711`, 404, NOTHING],
    ['part of the secret', (url) => `${url.href.slice(0, -1)}/incident/4711`, 404, NOTHING],
    ['the secret and more', (url) => `${url.href}x/incident/4711`, 404, NOTHING],
  ])('%s', async (_what, address, status, text) => {
    const { api, proxy } = await startAll(ok);
    expect(await call(address(new URL(proxy.url)))).toMatchObject({ status, text });
    expect(api.seen).toHaveLength(0);
  });

  it('another name for this host, as a page in a browser would send it', async () => {
    const { api, proxy } = await startAll(ok);
    const { host, port } = new URL(proxy.url);
    for (const other of [`evil.example:${port}`, `localhost:${port}`, '127.0.0.1']) {
      expect(await call(`${proxy.url}/incident/4711`, { headers: { Host: other } })).toMatchObject({
        status: 421,
        text: refusal('misdirected_request', `This is ${host}, and answers to no other name.`),
      });
    }
    expect(api.seen).toHaveLength(0);
  });

  it.each([
    ['CONNECT', (_: URL, api: string) => `CONNECT ${new URL(api).host} HTTP/1.1`, 405],
    ['an absolute address', (_: URL, api: string) => `GET ${api}/incident/4711 HTTP/1.1`, 404],
    ['a body of two lengths', ({ pathname }: URL) => `POST ${pathname}/ HTTP/1.1\r\n${SMUGGLED}`, 400],
    ['TRACE, which would show the credential', ({ pathname }: URL) => `TRACE ${pathname}/ HTTP/1.1`, 405],
  ])('%s leads nowhere', async (_what, line, status) => {
    const { api, proxy } = await startAll(ok);
    const url = new URL(proxy.url);
    const socket = connect(Number(url.port), '127.0.0.1');
    socket.write(`${line(url, api.url)}\r\nHost: ${url.host}\r\nConnection: close\r\n\r\n`);
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    socket.destroy();
    expect(api.seen).toHaveLength(0);
  });
});

describe('paths', () => {
  const MALFORMED =
    'The path has a segment "." or "..", a tab or a line break, also encoded, or an encoding that is none.';

  it.each([
    ['/v1/items', 200],
    ['/v1/items/7/notes?from=..%2F..', 200],
    ['/v1/items/group%2Fproject', 200],
    ['/v1/items/..well', 200],
    ['/v1/itemsother', 403],
    ['/v1/item', 403],
    ['/V1/items', 403],
    ['//v1/items', 403],
    ['', 403],
    ['?x=/v1/items', 403],
    ['/v1/items/../admin', 400],
    ['/v1/items/./..', 400],
    ['/v1/items/%2e%2E/admin', 400],
    ['/v1/items/..%2fadmin', 400],
    ['/v1/items/%252e%252e/admin', 400],
    ['/v1/items/..;/admin', 400],
    ['/v1/items/..\\admin', 400],
    ['/v1/items/..%5cadmin', 400],
    ['/v1/items/.%09./admin', 400],
    ['/v1/items/%250a..', 400],
    ['/v1/items/%zz', 400],
    [`/v1/items/%${'25'.repeat(20)}2e`, 400],
  ])('%s is answered %d where /v1/items is allowed', async (path, status) => {
    const { api, proxy } = await startAll(ok, { allow: ['/other', '/v1/items'], path: '/base' });
    const socket = connect(Number(new URL(proxy.url).port), '127.0.0.1');
    const { host, pathname } = new URL(proxy.url);
    socket.write(`GET ${pathname}${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const answer = await textOf(socket as unknown as IncomingMessage);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(api.seen.map(({ url }) => url)).toEqual(status === 200 ? [`/base${path}`] : []);
    if (status === 400) expect(answer).toContain(refusal('invalid_path', MALFORMED));
  });
});

describe('a redirect is passed on, and never followed', () => {
  it.each<[string, (api: string, self: string) => [location: string, passed: string]]>([
    ['to another host as it is', () => ['https://evil.example/a?b', 'https://evil.example/a?b']],
    ['below the API through the proxy', (api, self) => [`${api}/base/next?a=1`, `${self}/next?a=1`]],
    ['that is relative through the proxy', (_, self) => ['other', `${self}/incident/other`]],
    ['out of the path of the API as it is', (api) => ['/elsewhere', `${api}/elsewhere`]],
    ['of a name that only begins alike as it is', (api) => ['/base2/x', `${api}/base2/x`]],
  ])('%s', async (_what, locations) => {
    let location = '';
    const { api, proxy } = await startAll((_, response) => response.writeHead(302, { Location: location }).end(), {
      path: '/base',
    });
    const [sent, passed] = locations(api.url, proxy.url);
    location = sent;
    const { status, headers } = await call(`${proxy.url}/incident/4711`);
    expect({ status, location: headers.location }).toEqual({ status: 302, location: passed });
    expect(api.seen).toHaveLength(1);
  });
});

describe('what breaks', () => {
  it('in the middle of an answer is seen as broken, and not as the end', async () => {
    const { open, answer } = stream();
    const { proxy } = await startAll(answer);
    const reading = await send(`${proxy.url}/events`);
    open[0]?.destroy();
    await expect(textOf(reading)).rejects.toThrow('aborted');
  });

  it.each([
    ['while the answer comes', stream().answer],
    ['while the API still thinks', () => undefined],
  ])('at the command breaks off the call at the API, %s', async (_what, answer) => {
    const gone: Promise<unknown>[] = [];
    const { proxy } = await startAll((request, response) => {
      gone.push(once(response, 'close'));
      answer(request, response);
    });
    const outgoing = request(`${proxy.url}/events`).on('error', () => undefined);
    outgoing.end();
    await until(() => gone.length === 1, 'the API was not called');
    outgoing.destroy();
    await gone[0];
  });

  it('before the API is reached is a 502 with its code, also for a request with a body', async () => {
    const { api, proxy } = await startAll(ok);
    api.server.close();
    api.server.closeAllConnections();
    const { host } = new URL(api.url);
    for (const body of [undefined, 'note'.repeat(100_000)]) {
      expect(await call(`${proxy.url}/incident/4711`, { method: 'POST', ...(body && { body }) })).toMatchObject({
        status: 502,
        text: refusal('bad_gateway', `${host} gave no answer: ECONNREFUSED.`),
        headers: { 'proxy-status': 'mayfly; error=destination_unavailable' },
      });
    }
  });
});

describe('an API that answers 401', () => {
  const tokensOf = (seen: IncomingMessage[]) => seen.map(({ headers }) => headers.authorization);

  it('is asked once more, with another credential', async () => {
    const { api, proxy } = await startAll((request, response) => {
      response.writeHead(api.seen.length === 1 ? 401 : 200).end(request.method);
    });
    expect(await call(`${proxy.url}/incident/4711`)).toMatchObject({ status: 200, text: 'GET' });
    expect(new Set(tokensOf(api.seen)).size).toBe(2);
  });

  it('is not asked again with a body that was sent, but the next request has another credential', async () => {
    const { api, proxy } = await startAll((request, response) => {
      request.resume().on('end', () => response.writeHead(api.seen.length === 1 ? 401 : 200).end());
    });
    const post = () => call(`${proxy.url}/incident/4711`, { method: 'POST', body: 'note' });
    expect((await post()).status).toBe(401);
    expect(api.seen).toHaveLength(1);
    expect((await post()).status).toBe(200);
    expect(new Set(tokensOf(api.seen)).size).toBe(2);
  });

  it('each time does not make the broker issue a credential for each call', async () => {
    const { proxy, asked } = await startAll((_, response) => response.writeHead(401).end());
    for (let calls = 0; calls < 10; calls += 1) expect((await call(`${proxy.url}/incident/4711`)).status).toBe(401);
    expect(asked.filter((path) => path === '/token')).toHaveLength(2);
  });
});

describe('the end of access', () => {
  it('of a task that ends cuts what runs, and refuses what comes, at an API that never asks', async () => {
    const { open, answer } = stream();
    const { api, proxy, task } = await startAll(answer);
    const reading = await send(`${proxy.url}/events`);
    await endOutside(task);
    await expect(textOf(reading)).rejects.toThrow('aborted');
    await until(() => open[0]?.destroyed === true, 'the call at the API runs on');
    expect(await call(`${proxy.url}/events`)).toMatchObject({
      status: 403,
      text: refusal('task_ended', `The task ${task.id} has ended.`),
      headers: { 'proxy-status': 'mayfly; error=proxy_internal_response', 'cache-control': 'no-store' },
    });
    expect(api.seen).toHaveLength(1);
  });

  it('is told by the broker in the moment of it, without being asked again, and the receipt says when', async () => {
    const { answer } = stream();
    const { api, proxy, asked } = await startAll(answer);
    const reading = await send(`${proxy.url}/events`);
    await until(() => asked.includes('/introspect/wait'), 'the proxy does not wait');
    const before = asked.length;
    const leaked = api.seen[0]?.headers.authorization?.slice(7);
    const { body } = await broker.post('/revocations', { leaked, reason: 'found in a log' }, soc);
    await expect(textOf(reading)).rejects.toThrow('aborted');
    await until(() => asked.length > before, 'the proxy does not say that it knows');
    // What it says, and no further question.
    expect(asked.slice(before)).toEqual(['/introspect/wait']);
    const { seq } = body as { seq: number };
    const receipt = async () => (await broker.get(`/revocations/${seq}`, soc)).text;
    await until(async () => {
      await broker.work('feed');
      return /"verifier":"lab:agent-7","instance":"[^"]+:\d+","by":"wait","knewAt":"/.test(await receipt());
    }, 'the receipt does not name the proxy');
  });

  it('is noticed within a second too where the broker does not let it wait', async () => {
    const { answer } = stream();
    const { proxy, task, asked, link } = await startAll(answer);
    link.refuses = '/introspect/wait';
    const reading = await send(`${proxy.url}/events`);
    await until(() => asked.slice(asked.indexOf('/introspect/wait')).includes('/introspect'), 'the proxy does not ask');
    await endOutside(task);
    await expect(textOf(reading)).rejects.toThrow('aborted');
  });

  it('says why to a request that the API has not answered yet', async () => {
    const { proxy, task, api } = await startAll(() => undefined);
    const waiting = call(`${proxy.url}/incident/4711`);
    await until(() => api.seen.length === 1, 'the API was not called');
    await endOutside(task);
    expect(await waiting).toMatchObject({ status: 403, text: refusal('access_denied', DEAD) });
  });

  it('of one credential cuts what runs with it, and the next request has another', async () => {
    const { answer } = stream();
    const { api, proxy } = await startAll(answer);
    const reading = await send(`${proxy.url}/events`);
    const leaked = api.seen[0]?.headers.authorization?.slice(7);
    await broker.post('/revocations', { leaked, reason: 'found in a log' }, soc);
    await expect(textOf(reading)).rejects.toThrow('aborted');
    expect((await send(`${proxy.url}/events`)).statusCode).toBe(200);
    expect(api.seen[1]?.headers.authorization).not.toContain(leaked);
  });

  it('is by a hold too, and nothing passes until it is lifted', async () => {
    const { proxy, task, api } = await startAll(ok);
    const orchestrator = await broker.identity('orchestrator');
    await broker.post(`/tasks/${task.id}/suspend`, {}, orchestrator);
    pass(1.01);
    expect(await call(`${proxy.url}/incident/4711`)).toMatchObject({
      status: 403,
      text: refusal('access_denied', 'A hold is in force; nothing is granted until it is lifted.'),
    });
    expect(api.seen).toHaveLength(0);
    await broker.post(`/tasks/${task.id}/resume`, {}, orchestrator);
    expect((await call(`${proxy.url}/incident/4711`)).status).toBe(200);
  });

  it('is not by the end of a credential: a stream is answered for by the next one', async () => {
    const { open, answer } = stream();
    const { proxy, task, asked } = await startAll(answer, { lifetimeSeconds: 5 });
    const reading = await send(`${proxy.url}/events`);
    pass(3);
    await broker.advance(4_000);
    const since = () => asked.slice(asked.lastIndexOf('/token')).filter((path) => path === '/introspect/wait').length;
    const isRenewed = () => asked.filter((path) => path === '/token').length === 2;
    await until(() => isRenewed() && since() >= 1, 'the proxy does not ask about another credential');
    // The first one is over now.
    await broker.advance(2_000);
    const before = asked.length;
    await until(() => asked.length > before + 1, 'the proxy asks no more');
    open[0]?.write('data: 2\n\n');
    let read = '';
    while (!read.endsWith('2\n\n')) read += String((await once(reading, 'data'))[0]);
    await endOutside(task);
    await expect(textOf(reading)).rejects.toThrow('aborted');
  });
});

describe('a broker', () => {
  it('is asked once for all requests of a second, and for none while nothing runs', async () => {
    const { proxy, asked } = await startAll(ok);
    for (const round of [1, 2]) {
      pass(1.01);
      const [before, began] = [asked.length, Date.now()];
      await Promise.all(Array.from({ length: 50 }, () => call(`${proxy.url}/incident/4711`)));
      const seconds = Math.floor((Date.now() - began) / 1000);
      const times = asked.slice(before).filter((path) => path === '/introspect').length;
      // On a busy machine fifty may take more than one second.
      expect({ round, once: times >= 1 && times <= 1 + seconds }).toEqual({ round, once: true });
    }
  });

  it('that is away lets nothing new pass, and five seconds later nothing old', async () => {
    const { answer } = stream();
    const { proxy, link, api } = await startAll(answer);
    const reading = await send(`${proxy.url}/events`);
    link.away = true;
    pass(3);
    expect(await call(`${proxy.url}/events`)).toMatchObject({
      status: 503,
      text: refusal('temporarily_unavailable', 'The broker cannot be reached.'),
      headers: { 'retry-after': '1' },
    });
    expect(reading.destroyed).toBe(false);
    pass(2.01);
    await expect(textOf(reading)).rejects.toThrow('aborted');
    link.away = false;
    expect((await send(`${proxy.url}/events`)).statusCode).toBe(200);
    expect(api.seen).toHaveLength(2);
  });
});
