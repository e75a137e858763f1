/** The client against a whole broker. */
import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { decodeJwt } from 'jose';
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
import { temporaryDirectory } from '../support/directory.js';
import { createServerCertificate } from '../support/issuers/certificate.js';
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
const urlOf = ([input]: Parameters<typeof fetch>) => (input instanceof Request ? input.url : input.toString());
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

  it('goes on with what another agent has handed on, below its task, and ends with that', async () => {
    const planner = await client().task({ purpose: 'summarise' });
    const { token } = await planner.credential(TICKETS, READ);
    const other = await broker.identity('agent-8', { expiresInSeconds: 86_400 });
    const mine = client({ identity: () => other }).handedOn(token);
    const [first, second] = await Promise.all([
      mine.credential(TICKETS),
      mine.credential(TICKETS, { access: READ, lifetimeSeconds: 60 }),
    ]);
    for (const one of [first, second])
      expect(decodeJwt(one.token)).toMatchObject({
        sub: 'lab:agent-7',
        act: { sub: 'lab:agent-8' },
        task: { id: mine.id, lineage: [planner.id], purpose: 'summarise' },
      });
    await expect(mine.credential(TICKETS, 'incident/4712:read')).rejects.toMatchObject({ code: 'invalid_scope' });
    await planner.complete();
    expect(await isActive(second.token)).toBe(false);
    await expect(mine.credential(TICKETS, 'incident/4711/notes:read')).rejects.toMatchObject({ name: 'TaskEnded' });
    const again = client({ identity: () => other }).handedOn(token, { purpose: 'more' });
    const refused = await again.credential(TICKETS).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'invalid_request', message: expect.stringMatching(/has been revoked/) });
    expect(inspect(again)).not.toContain(token);
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
    const now = jest.spyOn(os, 'uptime');
    const first = await task.credential(TICKETS, READ);
    away = true;
    const from = os.uptime();
    now.mockImplementation(() => from + 290);
    expect(await task.credential(TICKETS, READ)).toBe(first);
    now.mockImplementation(() => from + 296);
    await expect(task.credential(TICKETS, READ)).rejects.toBeInstanceOf(Unavailable);
    away = false;
    const next = await task.credential(TICKETS, READ);
    now.mockImplementation(() => from + 296 + 250);
    expect(await task.credential(TICKETS, READ)).toBe(next);
    now.mockRestore();
    await until(async () => (await task.credential(TICKETS, READ)) !== next, 'it is not renewed');
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

  it('sends no heartbeat while the one before waits for its answer', async () => {
    const timers = jest.spyOn(globalThis, 'setInterval');
    let waiting = 0;
    const task = await client({
      fetch: (...call) => (urlOf(call).endsWith('/heartbeat') ? new Promise(() => (waiting += 1)) : fetch(...call)),
    }).task({ purpose: 'summarise' });
    const beat = timers.mock.calls.at(-1)?.[0] as () => void;
    timers.mockRestore();
    for (let times = 0; times < 3; times += 1) beat();
    await until(() => waiting > 0, 'no heartbeat was sent');
    expect(waiting).toBe(1);
    await task.complete();
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
    const now = jest.spyOn(os, 'uptime');
    const from = os.uptime();
    now.mockImplementation(() => from + 250);
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

describe('a task that somebody else keeps alive', () => {
  it('has no heartbeat of this process, and tells its end', async () => {
    const asked: string[] = [];
    const others = await client().task({ purpose: 'summarise' });
    const task = client({
      fetch: (input, init) => {
        asked.push(new URL(input).pathname);
        return fetch(input, init);
      },
    }).under(others.id);
    const credential = await task.credential(TICKETS, READ);
    expect(await task.isAlive(credential)).toBe(true);
    expect(asked).toEqual(['/token', '/introspect']);
    await others.complete();
    expect(await task.isAlive(credential)).toBe(false);
    // What is known to be dead is not handed out, though it has minutes left.
    await expect(task.credential(TICKETS, READ)).rejects.toBeInstanceOf(TaskEnded);
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

describe('an identity in a file', () => {
  const file = () => join(temporaryDirectory(), 'token');

  it('that was read while it was written is read again, and one that stays wrong is refused', async () => {
    const path = file();
    const read = fromFile(path);
    const half = identity.slice(0, -20);
    // The rest is written once the client has read the half.
    const client = (rest: string) =>
      mayfly({
        url: broker.url,
        identity: async () => {
          const token = await read();
          writeFileSync(path, rest);
          return token;
        },
      });
    writeFileSync(path, half);
    const task = await client(identity).task({ purpose: 'summarise' });
    writeFileSync(path, half);
    expect(await isActive((await task.credential(TICKETS, READ)).token)).toBe(true);
    await task.complete();
    writeFileSync(path, half);
    await expect(client(half).task({ purpose: 'summarise' })).rejects.toMatchObject({ code: 'invalid_token' });
  });

  it('may be replaced, and be away for a moment', async () => {
    const path = file();
    writeFileSync(path, identity);
    const task = await client({ identity: fromFile(path) }).task({ purpose: 'summarise' });
    const first = await task.credential(TICKETS, READ);
    rmSync(path);
    expect(await task.credential(TICKETS, READ)).toBe(first);
    await expect(task.credential(TICKETS, 'incident/4712:read')).rejects.toBeInstanceOf(IdentityUnavailable);
    const next = task.credential(TICKETS, 'incident/4712:read');
    writeFileSync(`${path}.new`, await broker.identity('agent-7', { expiresInSeconds: 1_800 }));
    renameSync(`${path}.new`, path);
    expect(await isActive((await next).token)).toBe(true);
    await task.complete();
  });
});

const GRANTED = { access_token: 'a.b.c', token_type: 'Bearer', expires_in: 300, task_id: 'tsk_1' };
const LATER = '{"code":"temporarily_unavailable","detail":"No.","retry":"later"}';

describe('an answer that is none of a broker', () => {
  const halfOf = (response: ServerResponse) => {
    response.writeHead(200, { 'Content-Length': 99 }).write('{"id":"ts');
    setImmediate(() => response.destroy());
  };
  it.each<[string, (response: ServerResponse) => unknown, number, string]>([
    ['a page instead of an answer', (response) => response.end('<html>Sign in</html>'), 1, 'status 200'],
    ['a page of a proxy', (response) => response.writeHead(502).end('<html>'), 3, 'status 502'],
    ['a page that says when to come back', (response) => later(response, '30').end('<html>'), 1, 'status 503'],
    ['a wrong address', (response) => response.writeHead(404).end('nothing here'), 1, 'status 404'],
    ['a redirect', (response) => response.writeHead(307, { Location: '/' }).end(), 1, 'redirects are not followed'],
    ['a list', (response) => response.end('[]'), 1, 'status 200'],
    ['a task without an id', (response) => response.end('{"id":7}'), 1, 'no id'],
    ['2 MB', (response) => response.end('"'.padEnd(2_000_000, 'x')), 1, 'too large'],
    ['a broken connection', (response) => response.destroy(), 3, 'cannot be reached: UND_ERR_SOCKET'],
    ['half an answer', halfOf, 3, 'cannot be reached'],
    ['nothing in time', () => undefined, 3, 'did not answer in time'],
    ['a head and nothing in time', (response) => response.writeHead(200).write('{'), 3, 'did not answer in time'],
  ])('is Unavailable, and asked for again where that may help: %s', async (_what, answer, times, message) => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls += 1;
      answer(response);
    });
    const failure = await client({ url, timeoutMs: 300 })
      .task({ purpose: 'summarise' })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Unavailable);
    expect((failure as Error).message).toContain(message);
    expect(calls).toBe(times);
  });

  it('is a server whose certificate nobody vouches for: nothing is sent to it, and the error says why', async () => {
    const { certificate, key } = createServerCertificate(['localhost']);
    const seen = jest.fn();
    const url = (await listening(createTlsServer({ cert: certificate, key }, seen))).replace('http:', 'https:');
    const failure = client({ url }).task({ purpose: 'summarise' });
    await expect(failure).rejects.toThrow(
      /cannot be reached: (?:UNABLE_TO_VERIFY_LEAF_SIGNATURE|[A-Z_]*CERT[A-Z_]*)\./,
    );
    expect(seen).not.toHaveBeenCalled();
  });

  it.each<[string, object]>([
    ['a token that is none', { access_token: 'a\r\nX-Evil: 1' }],
    ['no token', { access_token: null }],
    ['no life', { expires_in: 0 }],
    ['a life that is no number', { expires_in: '300' }],
    ['no task', { task_id: undefined }],
  ])('is no credential, and quoted nowhere: %s', async (_what, wrong) => {
    const url = await serve((_request, response) => response.end(JSON.stringify({ ...GRANTED, ...wrong })));
    const task = await client({ url }).task({ purpose: 'summarise', person: () => identity });
    const failure = await task.credential(TICKETS).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Unavailable);
    expect(inspect(failure, { depth: 9 })).not.toContain('X-Evil');
  });

  it('is waited for where it says how long, three times at most, and not for long', async () => {
    let calls = 0;
    let seconds = '0';
    const url = await serve((_request, response) => {
      calls += 1;
      later(response, seconds).end(LATER);
    });
    await expect(client({ url }).task({ purpose: 'summarise' })).rejects.toMatchObject({ retry: 'later' });
    expect(calls).toBe(3);
    seconds = '16';
    const refused = { retry: 'later', retryAfterSeconds: 16 };
    await expect(client({ url }).task({ purpose: 'summarise' })).rejects.toMatchObject(refused);
    expect(calls).toBe(4);
  });

  it('opens one task for a person however often it is asked again because the answer was lost', async () => {
    const keys: unknown[] = [];
    const url = await serve((request, response) => {
      keys.push(request.headers['idempotency-key']);
      if (keys.length < 5) response.destroy();
      else response.end(JSON.stringify(GRANTED));
    });
    const task = await client({ url }).task({ purpose: 'summarise', person: () => identity });
    await expect(task.credential(TICKETS)).rejects.toBeInstanceOf(Unavailable);
    expect((await task.credential(TICKETS)).token).toBe('a.b.c');
    expect(keys).toEqual(new Array(5).fill(expect.stringMatching(/./)));
    expect(new Set(keys).size).toBe(1);
  });

  it('gives no credential to a task that was completed while it was on its way', async () => {
    const task = await client({
      fetch: async (...call) => {
        const answer = await fetch(...call);
        if (urlOf(call).endsWith('/token')) await task.complete();
        return answer;
      },
    }).task({ purpose: 'summarise' });
    await expect(task.credential(TICKETS, READ)).rejects.toMatchObject({ name: 'TaskEnded', outcome: 'completed' });
    expect(await stateOf(task.id ?? '')).toBe('completed');
  });
});

const later = (response: ServerResponse, seconds: string) => response.writeHead(503, { 'Retry-After': seconds });

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
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

const serve = (answer: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<string> =>
  listening(createServer((request, response) => void answer(request, response)));

async function listening(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
