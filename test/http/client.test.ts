/** `mayfly/client` against a whole broker. */
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import {
  awsCredentialsFor,
  fetchFor,
  fromFile,
  IdentityUnavailable,
  mayfly,
  Refused,
  TaskEnded,
  Unavailable,
  type Mayfly,
  type MayflyOptions,
} from '../../src/client/index.js';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { until } from '../support/until.js';

const READ = 'incident/4711:read';

let broker: TestBroker;
let identity: string;
let orchestrator: string;
let api: string;

beforeAll(async () => {
  broker = await startBroker();
  const lasting = { expiresInSeconds: 86_400 };
  [identity, orchestrator, api] = await Promise.all([
    broker.identity('agent-7', lasting),
    broker.identity('orchestrator', lasting),
    broker.identity('tickets-api', lasting),
  ]);
});

const client = (more: Partial<MayflyOptions> = {}): Mayfly =>
  mayfly({ url: broker.url, identity: () => identity, ...more });
const isActive = async (token: string) => ((await broker.introspect(token, api)).body as { active: boolean }).active;
const stateOf = async (id: string) =>
  ((await broker.get(`/tasks/${id}`, orchestrator)).body as { state: string }).state;
const endOutside = (id: string | undefined) =>
  broker.post(`/tasks/${id}/complete`, { outcome: 'cancelled' }, orchestrator);

describe('run()', () => {
  it('completes the task after a return, and its credential is dead then', async () => {
    const { id, token } = await client().run({ purpose: 'summarise' }, async (task) => {
      const { token } = await task.credential(TICKETS, READ);
      expect(await isActive(token)).toBe(true);
      return { id: task.id ?? '', token };
    });
    expect(await isActive(token)).toBe(false);
    expect(await stateOf(id)).toBe('completed');
  });

  it('fails the task after a throw, and throws what the work threw', async () => {
    let id = '';
    const work = client().run({ purpose: 'summarise' }, (task) => {
      id = task.id ?? '';
      return Promise.reject(new Error('tool broke'));
    });
    await expect(work).rejects.toThrow('tool broke');
    expect(await stateOf(id)).toBe('failed');
  });
});

describe('a task', () => {
  it('has failed when its scope is left without complete(), and lives on after leave()', async () => {
    const left = await client().task({ purpose: 'summarise' });
    const id = left.leave() ?? '';
    await left[Symbol.asyncDispose]();
    expect(await stateOf(id)).toBe('open');
    await expect(left.credential(TICKETS, READ)).rejects.toThrow('was left');

    const joined = await client().join(id);
    expect(await isActive((await joined.credential(TICKETS, READ)).token)).toBe(true);
    await joined[Symbol.asyncDispose]();
    expect(await stateOf(id)).toBe('failed');
    await expect(client().join(id)).rejects.toMatchObject({ name: 'TaskEnded', outcome: 'failed' });
  });

  it('goes on with the heartbeat of a task that it joins', async () => {
    const left = await client().task({ purpose: 'summarise', heartbeatSeconds: 1 });
    const joined = await client().join(left.leave() ?? '');
    await endOutside(joined.id);
    await new Promise((resolve) => joined.signal.addEventListener('abort', resolve));
    expect(joined.signal.reason).toMatchObject({ outcome: 'cancelled' });
  });

  it('asks the broker once for what many want at the same time, and again for other access', async () => {
    const asked = jest.fn(fetch);
    const task = await client({ fetch: asked }).task({ purpose: 'summarise' });
    asked.mockClear();
    const same = await Promise.all([1, 2, 3].map(() => task.credential(TICKETS, READ)));
    expect(new Set(same).size).toBe(1);
    await task.credential(TICKETS, 'incident/4712:read');
    expect(asked).toHaveBeenCalledTimes(2);
    await task.complete();
    await task.complete();
    expect(await stateOf(task.id ?? '')).toBe('completed');
  });

  it('renews ahead without anybody waiting, and keeps what lives while the broker is away', async () => {
    let away = false;
    const task = await client({
      fetch: (...call) => (away ? Promise.reject(new TypeError('refused')) : fetch(...call)),
    }).task({
      purpose: 'summarise',
    });
    const now = jest.spyOn(performance, 'now');
    const first = await task.credential(TICKETS, READ);
    away = true;
    const from = performance.now();
    now.mockImplementation(() => from + 290_000);
    expect(await task.credential(TICKETS, READ)).toBe(first);
    now.mockImplementation(() => from + 296_000);
    await expect(task.credential(TICKETS, READ)).rejects.toBeInstanceOf(Unavailable);
    away = false;
    const next = await task.credential(TICKETS, READ);
    now.mockImplementation(() => from + 296_000 + 250_000);
    expect(await task.credential(TICKETS, READ)).toBe(next);
    now.mockRestore();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await task.credential(TICKETS, READ)).not.toBe(next);
    await task.complete();
  });

  it('says TaskEnded, and aborts its signal, when somebody else ends it', async () => {
    const task = await client().task({ purpose: 'summarise' });
    await task.credential(TICKETS, READ);
    await endOutside(task.id);
    await expect(task.credential(TICKETS, 'incident/4712:read')).rejects.toBeInstanceOf(TaskEnded);
    expect(task.signal.reason).toBeInstanceOf(TaskEnded);
    // What is kept is dead too.
    await expect(task.credential(TICKETS, READ)).rejects.toBeInstanceOf(TaskEnded);
  });

  it('learns its end from a heartbeat', async () => {
    const task = await client().task({ purpose: 'summarise', heartbeatSeconds: 1 });
    await endOutside(task.id);
    await new Promise((resolve) => task.signal.addEventListener('abort', resolve));
    expect(task.signal.reason).toMatchObject({ name: 'TaskEnded', outcome: 'cancelled' });
  });

  it('is told to the broker by another complete() after one that did not reach it', async () => {
    let away = false;
    const task = await client({
      fetch: (...call) => (away ? Promise.reject(new TypeError('refused')) : fetch(...call)),
    }).task({ purpose: 'summarise' });
    away = true;
    await expect(task.complete()).rejects.toBeInstanceOf(Unavailable);
    await expect(task.credential(TICKETS, READ)).rejects.toBeInstanceOf(TaskEnded);
    away = false;
    await task.complete();
    expect(await stateOf(task.id ?? '')).toBe('completed');
  });

  it('hands out nothing from before a suspension, also when it is resumed', async () => {
    const heard = new Set<unknown>();
    const task = await client({
      fetch: async (...call) => {
        const answer = await fetch(...call);
        heard.add(((await answer.clone().json()) as { state?: string }).state);
        return answer;
      },
    }).task({ purpose: 'summarise', heartbeatSeconds: 1 });
    const first = await task.credential(TICKETS, READ);
    await broker.post(`/tasks/${task.id}/suspend`, {}, orchestrator);
    await until(() => heard.has('suspended'), 'no heartbeat told of the suspension');
    await expect(task.credential(TICKETS, READ)).rejects.toMatchObject({ retry: 'after-lift' });
    await broker.post(`/tasks/${task.id}/resume`, {}, orchestrator);
    const next = await task.credential(TICKETS, READ);
    expect(await Promise.all([first, next].map(({ token }) => isActive(token)))).toEqual([false, true]);
    await task.complete();
  });

  it('drops what it keeps when the broker refuses to renew it', async () => {
    const task = await client().task({ purpose: 'summarise' });
    const first = await task.credential(TICKETS, READ);
    const now = jest.spyOn(performance, 'now');
    const from = performance.now();
    now.mockImplementation(() => from + 250_000);
    await broker.post(`/tasks/${task.id}/suspend`, {}, orchestrator);
    expect(await task.credential(TICKETS, READ)).toBe(first);
    await until(
      () =>
        task
          .credential(TICKETS, READ)
          .then(() => false)
          .catch((error: unknown) => error instanceof Refused),
      'the refused renewal changed nothing',
    );
    now.mockRestore();
    await task.complete();
  });

  it('says in the words of the broker why not', async () => {
    const task = await client().task({ purpose: 'summarise' });
    const refusal = await task.credential(TICKETS, 'customer/12:read').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Refused);
    expect(refusal).toMatchObject({
      code: 'access_denied',
      retry: 'never',
      decisionId: expect.stringMatching(/^dec_/),
    });
    expect(task.signal.aborted).toBe(false);
    await task.complete();
  });

  it('serves a person whose token is shown', async () => {
    const ada = await broker.person('ada', { expiresInSeconds: 86_400 });
    const task = await client().task({ purpose: 'summarise', person: () => ada });
    expect(task.id).toBeUndefined();
    const [one, two] = await Promise.all([
      task.credential(TICKETS, READ),
      task.credential(TICKETS, 'incident/4712:read'),
    ]);
    const principals = await Promise.all(
      [one, two].map(async ({ token }) => (await broker.introspect(token, api)).body),
    );
    expect(principals).toEqual([
      expect.objectContaining({ sub: 'staff:ada', txn: task.id }),
      expect.objectContaining({ sub: 'staff:ada', txn: task.id }),
    ]);
    await task.complete();
  });
});

describe('a token', () => {
  it('is not printed', async () => {
    const task = await client().task({ purpose: 'summarise' });
    const credential = await task.credential(TICKETS, READ);
    const printed = [inspect(credential, { showHidden: false }), JSON.stringify(credential), inspect(task)];
    expect(printed.join()).not.toContain(credential.token);
    expect(printed.join()).not.toContain(identity);
    await task.complete();
  });

  it.each<[string, () => string | Promise<string>]>([
    ['no file', fromFile('/nowhere/token')],
    ['a file that is empty', () => '\n'],
    ['two tokens', () => `${identity}\n${identity}`],
    ['a source that fails', () => Promise.reject(new Error('offline'))],
  ])('is asked for, and %s is IdentityUnavailable, of which nothing is sent or quoted', async (_what, source) => {
    const sent = jest.fn(fetch);
    const failure = await client({ identity: source, fetch: sent })
      .task({ purpose: 'summarise' })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(IdentityUnavailable);
    expect(inspect(failure, { depth: 9 })).not.toContain(identity);
    expect(sent).not.toHaveBeenCalled();
  });

  it('goes to https and loopback only, to no path, and follows no redirect', async () => {
    expect(() => client({ url: 'http://broker.example' })).toThrow('must be https');
    expect(() => client({ url: 'https://example.com/mayfly' })).toThrow('without a path');
    const seen: string[] = [];
    const other = await serve((request, response) => {
      seen.push(request.url ?? '');
      response.end('{}');
    });
    const moved = await serve((_request, response) => response.writeHead(307, { Location: `${other}/stolen` }).end());
    await expect(client({ url: moved }).task({ purpose: 'summarise' })).rejects.toBeInstanceOf(Unavailable);
    expect(seen).toEqual([]);
  });
});

describe('an answer that is none of a broker', () => {
  it.each([
    ['a page', (response: ServerResponse) => response.writeHead(502).end('<html>')],
    ['a list', (response: ServerResponse) => response.end('[]')],
    ['2 MB', (response: ServerResponse) => response.end('"'.padEnd(2_000_000, 'x'))],
    ['a broken connection', (response: ServerResponse) => response.destroy()],
  ])('is Unavailable: %s', async (_what, answer) => {
    const url = await serve((_request, response) => void answer(response));
    await expect(client({ url }).task({ purpose: 'summarise' })).rejects.toBeInstanceOf(Unavailable);
  });

  it('is waited for where it says how long, three times at most', async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls += 1;
      response
        .writeHead(503, { 'Retry-After': '0' })
        .end('{"code":"temporarily_unavailable","detail":"No.","retry":"later"}');
    });
    await expect(client({ url }).task({ purpose: 'summarise' })).rejects.toMatchObject({ retry: 'later' });
    expect(calls).toBe(3);
  });
});

describe('awsCredentialsFor()', () => {
  it('says that a credential is no AWS session, and quotes nothing of it', async () => {
    const task = await client().task({ purpose: 'summarise' });
    const access = [{ type: 'task_access', locations: [TICKETS], identifier: 'incident/4711', actions: ['read'] }];
    const failure = await awsCredentialsFor(task, TICKETS, access)().catch((error: unknown) => error);
    expect(inspect(failure)).toMatch(/no AWS session/);
    expect(inspect(failure)).not.toContain('eyJ');
    await task.complete();
  });
});

describe('fetchFor()', () => {
  it('adds a credential, and after a 401 another one, and sends it nowhere else', async () => {
    const seen: (string | undefined)[] = [];
    const origin = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(seen.length === 1 ? 401 : 200).end();
    });
    const task = await client().task({ purpose: 'summarise' });
    const call = fetchFor(task, { target: TICKETS, access: READ, origin });
    expect((await call(`${origin}/incident/4711`, { method: 'POST', body: 'note' })).status).toBe(200);
    expect(seen).toEqual([expect.stringMatching(/^Bearer eyJ/), expect.stringMatching(/^Bearer eyJ/)]);
    expect(seen[0]).not.toBe(seen[1]);
    // What the API refused was given back, so it does not count against the limit of the task.
    await until(async () => !(await isActive(seen[0]?.slice(7) ?? '')), 'the refused credential lives');
    expect(await isActive(seen[1]?.slice(7) ?? '')).toBe(true);
    await expect(call('https://elsewhere.example/')).rejects.toThrow('not sent elsewhere');
    await task.complete();
  });

  const stream = () => new Blob(['note']).stream();
  it.each<[string, (url: string) => [string | Request, RequestInit?], number]>([
    ['a text', (url) => [url, { method: 'POST', body: 'note' }], 2],
    ['a Request without a body', (url) => [new Request(url)], 2],
    ['a Request with a body', (url) => [new Request(url, { method: 'POST', body: 'note' })], 1],
    ['a stream', (url) => [url, { method: 'POST', body: stream(), duplex: 'half' }], 1],
  ])('sends all of %s, and twice where that is possible', async (what, argumentsOf, times) => {
    const seen: string[] = [];
    const origin = await serve((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString()));
      request.on('end', () => {
        seen.push(`${request.method} ${body}`);
        response.writeHead(401).end();
      });
    });
    const task = await client().task({ purpose: 'summarise' });
    const call = fetchFor(task, { target: TICKETS, access: READ, origin });
    const answer = await call(...argumentsOf(`${origin}/incident/4711`));
    expect(answer.status).toBe(401);
    expect(seen).toHaveLength(times);
    expect([...new Set(seen)]).toEqual([what.includes('without') ? 'GET ' : 'POST note']);
    await task.complete();
  });
});
const servers: Server[] = [];
afterEach(() => servers.splice(0).forEach((server) => server.close()));

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
