/** GET /forward-auth/{name}: a gateway asks by the credential in the request; and nginx, which does so with the file in examples/. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HOUR_MS } from '../../src/domain/time.js';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { freePort } from '../support/free-port.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

let broker: TestBroker;
let agent: string;
let token: string;
let task: string;

const ROUTES = [
  { match: 'GET /incidents/{id}', access: 'incident/{id}:read' },
  { match: 'GET /search/{text}', access: 'incident/4711:read' },
  { match: 'POST /incidents/{id}', access: 'incident/{id}:write' },
];
const tickets = { resource: TICKETS, minter: 'jwt', forwardAuth: { name: 'tickets', routes: ROUTES } };

beforeAll(async () => {
  const labels = [{ match: 'incident/*/attachment/**', sensitivity: 'restricted' }];
  broker = await startBroker({
    config: {
      targets: [
        { ...tickets, labels },
        { resource: WIKI, minter: 'jwt' },
      ],
    },
  });
  agent = await broker.identity('agent-7');
  ({ access_token: token, task_id: task } = (await broker.exchange(agent)).body as Record<
    'access_token' | 'task_id',
    string
  >);
});

const asked = async (headers: Record<string, string>, bearer: string | undefined = token, name = 'tickets') =>
  (await broker.get(`/forward-auth/${name}`, bearer, headers)).status;
const original = (method: string, uri: string) => ({ 'x-original-method': method, 'x-original-uri': uri });
const forwarded = (method: string, uri: string) => ({ 'x-forwarded-method': method, 'x-forwarded-uri': uri });
const READ = original('GET', '/incidents/4711');

describe('the status', () => {
  it('is 200 for what the credential covers, and says whose request it is', async () => {
    const { status, headers } = await broker.get('/forward-auth/tickets', token, READ);
    expect(status).toBe(200);
    expect(headers.get('x-mayfly-subject')).toBe('lab:agent-7');
    expect(headers.get('x-mayfly-workload')).toBe('lab:agent-7');
    expect(headers.get('x-mayfly-task')).toBe(task);
    expect(headers.get('x-mayfly-credential')).toMatch(/^crd_/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(await asked(forwarded('GET', '/incidents/4711?full=1'))).toBe(200);
  });

  it('is 401 without a live credential of the target', async () => {
    expect((await broker.get('/forward-auth/tickets', undefined, READ)).status).toBe(401);
    for (const bad of ['x', agent, `${token.slice(0, -6)}AAAAAA`]) expect(await asked(READ, bad)).toBe(401);
  });

  it('is 503 at a broker whose clock is wrong: it cannot say what has expired', async () => {
    const { url: redisUrl } = await startRedis();
    const right = await startBroker({ redisUrl, clock: handClock(Date.now()), config: { targets: [tickets] } });
    const wrong = await right.beside(handClock(right.clock.now() + 5 * HOUR_MS));
    await wrong.work('fitness');
    const { access_token } = (await right.exchange(await right.identity('agent-7'))).body as { access_token: string };
    expect((await right.get('/forward-auth/tickets', access_token, READ)).status).toBe(200);
    expect((await wrong.get('/forward-auth/tickets', access_token, READ)).status).toBe(503);
  });

  it('is 404 for a name that no target has', async () => {
    expect(await asked(READ, token, 'wiki')).toBe(404);
    expect(await asked(READ, token, '__proto__')).toBe(404);
  });
});

describe('403, whatever the credential: a request that could be read in two ways, or that nobody mapped', () => {
  it.each([
    ['an encoded slash', 'GET', '/incidents%2f4711'],
    ['a path that climbs', 'GET', '/incidents/4712/../4711'],
    ['an encoded climb', 'GET', '/incidents/x/%2e%2e/4711'],
    ['a dot', 'GET', '/incidents/./4711'],
    ['two slashes', 'GET', '//incidents/4711'],
    ['two slashes within', 'GET', '/incidents//4711'],
    ['a slash at the end', 'GET', '/incidents/4711/'],
    ['a backslash', 'GET', '/incidents\\4711'],
    ['an absolute URI', 'GET', 'http://tickets.example/incidents/4711'],
    ['no slash', 'GET', 'incidents/4711'],
    ['parameters of a segment', 'GET', '/incidents/4711;admin=1'],
    ['an encoded letter', 'GET', '/incidents/471%31'],
    ['encoded twice', 'GET', '/incidents/471%2531'],
    ['an encoded NUL', 'GET', '/incidents/4711%00'],
    ['unicode', 'GET', '/incidents/\u00e9'],
    ['a fragment', 'GET', '/incidents/4711#x'],
    ['a fragment in the query', 'GET', '/incidents/4711?a#x'],
    ['a star', 'GET', '/incidents/*'],
    ['two stars', 'GET', '/incidents/**'],
    ['an asterisk', 'OPTIONS', '*'],
    ['another path', 'GET', '/admin'],
    ['another case', 'GET', '/Incidents/4711'],
    ['a query before the path', 'GET', '?/incidents/4711'],
    ['HEAD', 'HEAD', '/incidents/4711'],
    ['OPTIONS', 'OPTIONS', '/incidents/4711'],
    ['DELETE', 'DELETE', '/incidents/4711'],
    ['a method in small letters', 'get', '/incidents/4711'],
    ['a method of another table', '__proto__', '/incidents/4711'],
    ['what was not granted', 'POST', '/incidents/4711'],
    ['another incident', 'GET', '/incidents/4712'],
  ])('%s', async (_, method, uri) => {
    expect(await asked(original(method, uri))).toBe(403);
    expect(await asked(forwarded(method, uri))).toBe(403);
  });

  it('also where the segment has no part in the access', async () => {
    expect(await asked(original('GET', '/search/a'))).toBe(200);
    for (const text of ['%2e%2e', '..', 'a%2fb', 'a;b', 'a\\b', '%00', '*', ''])
      expect([text, await asked(original('GET', `/search/${text}`))]).toEqual([text, 403]);
  });

  it('what a client wrote beside what the gateway wrote', async () => {
    expect(await asked({ ...READ, ...forwarded('GET', '/incidents/4711') })).toBe(403);
    expect(await asked({ ...READ, 'x-forwarded-uri': '/incidents/4711' })).toBe(403);
    expect(await asked({ 'x-original-uri': '/incidents/4711' })).toBe(403);
    expect(await asked({})).toBe(403);
  });
});

const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx'].find((path) => existsSync(path));
if (NGINX === undefined) process.stderr.write('nginx is not installed: examples/nginx is not run.\n');

(NGINX === undefined ? describe.skip : describe)('nginx, with examples/nginx/nginx.conf', () => {
  const seen: { url: string | undefined; headers: NodeJS.Dict<string | string[]> }[] = [];
  const api = createServer((call, answer) => {
    seen.push({ url: call.url, headers: call.headers });
    answer.end('incident');
  });
  let port: number;
  let stop: () => Promise<unknown>;

  beforeAll(async () => {
    api.listen(0, '127.0.0.1');
    await once(api, 'listening');
    port = await freePort();
    const directory = temporaryDirectory();
    const text = readFileSync('examples/nginx/nginx.conf', 'utf8')
      .replace('127.0.0.1:8088', `127.0.0.1:${port}`)
      .replace('http://127.0.0.1:8000', `http://127.0.0.1:${(api.address() as AddressInfo).port}`)
      .replace('http://127.0.0.1:8080', broker.url)
      .replace(
        'http {',
        ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].reduce(
          (lines, name) => `${lines}\n${name}_temp_path ${directory}/${name};`,
          'http { access_log off;',
        ),
      );
    const path = join(directory, 'nginx.conf');
    writeFileSync(path, text);
    const globals = `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;`;
    const nginx = spawn(NGINX ?? '', ['-p', directory, '-e', `${directory}/error.log`, '-c', path, '-g', globals]);
    const ended = once(nginx, 'exit');
    stop = () => {
      nginx.kill('SIGKILL');
      return ended;
    };
    await until(
      () =>
        ask('/').then(
          () => true,
          () => false,
        ),
      'nginx does not answer',
    );
  });
  afterAll(async () => {
    await stop();
    api.close();
  });

  /** The path as it is written: fetch would tidy it up. */
  const ask = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<number>((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      });
      sent.on('error', reject).end();
    });
  const bearer = (own = token) => ({ authorization: `Bearer ${own}` });

  it('hands on what the credential covers, and tells the API whose it is, whatever the client wrote', async () => {
    const forged = {
      'x-mayfly-subject': 'staff:root',
      'x-mayfly-task': 'tsk_x',
      'x-forwarded-uri': '/incidents/1',
      x_mayfly_subject: 'x',
    };
    expect(await ask('/incidents/4711?a=1', { ...bearer(), ...forged })).toBe(200);
    const { url, headers } = seen.at(-1) ?? {};
    expect(url).toBe('/incidents/4711?a=1');
    expect(headers).toMatchObject({ 'x-mayfly-subject': 'lab:agent-7', 'x-mayfly-task': task });
    expect(headers).not.toHaveProperty('authorization');
    expect(headers).not.toHaveProperty('x_mayfly_subject');
  });

  it('hands nothing else on', async () => {
    const before = seen.length;
    const forged = { 'x-original-uri': '/incidents/4711', 'x-original-method': 'GET' };
    expect(await ask('/incidents/4711')).toBe(401);
    expect(await ask('/incidents/4712', bearer())).toBe(403);
    expect(await ask('/incidents/4712', { ...bearer(), ...forged })).toBe(403);
    for (const path of ['/incidents/4712/../4711', '/incidents%2f4711', '//incidents/4711', '/incidents/471%31'])
      expect([path, await ask(path, bearer())]).toEqual([path, 403]);
    expect(await ask('/incidents/4711', bearer(), 'DELETE')).toBe(403);
    expect(await ask('/_mayfly', bearer())).toBe(404);
    await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent);
    expect(await ask('/incidents/4711', bearer())).toBe(401);
    await broker.close();
    expect(await ask('/incidents/4711', bearer())).toBe(500);
    expect(seen.length).toBe(before);
  });
});
