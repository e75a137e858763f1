/** /forward-auth/{name}: a gateway asks by the credential in the request; and real ones do so with their files in examples/. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HOUR_MS } from '../../src/domain/time.js';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { freePort } from '../../scripts/free-port.js';
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
/** As Envoy asks: the path as it is written, behind that of the broker. fetch would tidy it up. */
const byPath = (method: string, uri: string, headers: Record<string, string> = {}, name = 'tickets') =>
  new Promise<number>((resolve, reject) => {
    const { hostname: host, port } = new URL(broker.url);
    const path = `/forward-auth/${name}${uri}`;
    const options = {
      host,
      port,
      path,
      method,
      agent: false,
      headers: { authorization: `Bearer ${token}`, ...headers },
    };
    const sent = request(options, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.on('error', reject).end();
  });
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

  it('is the same for a gateway that asks by method and path of the request', async () => {
    expect(await byPath('GET', '/incidents/4711')).toBe(200);
    expect(await byPath('GET', '/incidents/4711?full=1&x=%2e%2e/')).toBe(200);
    expect(await byPath('POST', '/incidents/4711')).toBe(403);
    expect(await byPath('GET', '/incidents/4711', { authorization: 'Bearer x' })).toBe(401);
    expect(await byPath('GET', '/incidents/4711', { authorization: '' })).toBe(401);
    expect(await byPath('GET', '/incidents/4711', {}, 'wiki')).toBe(404);
    expect(await byPath('GET', '/../wiki/incidents/4711')).toBe(403);
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
    // Node itself writes no such head; Envoy sends what it has taken.
    if (/^[A-Z]+$/.test(method) && /^\/[\x21-\x7e]*$/.test(uri))
      expect([400, 403]).toContain(await byPath(method, uri));
  });

  it('also where the segment has no part in the access', async () => {
    expect(await asked(original('GET', '/search/a'))).toBe(200);
    for (const text of ['%2e%2e', '..', 'a%2fb', 'a;b', 'a\\b', '%00', '*', ''])
      expect([text, await asked(original('GET', `/search/${text}`))]).toEqual([text, 403]);
  });

  it('what stands in the path, and in headers too', async () => {
    expect(await byPath('GET', '/incidents/4711', { 'x-original-uri': '/incidents/4711' })).toBe(403);
    expect(await byPath('GET', '/incidents/4711', forwarded('GET', '/incidents/4711'))).toBe(403);
    expect(await byPath('GET', '', {})).toBe(403);
    expect(await byPath('GET', '', { ...READ })).toBe(200);
    expect(await byPath('POST', '', { ...READ })).toBe(200);
    expect(await byPath('GET', '/', { ...READ })).toBe(404);
  });

  it('what a client wrote beside what the gateway wrote', async () => {
    expect(await asked({ ...READ, ...forwarded('GET', '/incidents/4711') })).toBe(403);
    expect(await asked({ ...READ, 'x-forwarded-uri': '/incidents/4711' })).toBe(403);
    expect(await asked({ 'x-original-uri': '/incidents/4711' })).toBe(403);
    expect(await asked({})).toBe(403);
  });
});

/** A gateway, with its file in examples/. It listens at 8088, the broker at 8080, the API at 8000: the test has other ports. */
interface Gateway {
  name: string;
  file: string;
  args: (file: string, directory: string) => string[];
  /** What a test needs and an example does not. */
  adapt?: (text: string, directory: string) => string;
  /** Its answer when the broker does not answer. */
  whenDown: number;
}

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
const GATEWAYS: Gateway[] = [
  {
    name: 'nginx',
    file: 'examples/nginx/nginx.conf',
    adapt: (text, directory) =>
      text.replace(
        'http {',
        `http { access_log off; ${TEMPORARY.map((one) => `${one}_temp_path ${directory}/${one};`).join(' ')}`,
      ),
    args: (file, directory) => [
      ...['-p', directory, '-e', `${directory}/error.log`, '-c', file],
      ...['-g', `daemon off; master_process off; pid ${directory}/pid; error_log ${directory}/error.log;`],
    ],
    whenDown: 500,
  },
  {
    name: 'caddy',
    file: 'examples/caddy/Caddyfile',
    adapt: (text) => `{\n\tadmin off\n}\n${text}`,
    args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
    whenDown: 502,
  },
  {
    name: 'envoy',
    file: 'examples/envoy/envoy.yaml',
    args: (file) => ['-c', file, '--use-dynamic-base-id', '--concurrency', '1', '-l', 'error'],
    whenDown: 503,
  },
];

const FOLDERS = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
const programOf = ({ name }: Gateway) => FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));
const installed = GATEWAYS.filter((gateway) => programOf(gateway) !== undefined);
for (const gateway of GATEWAYS)
  if (!installed.includes(gateway))
    process.stderr.write(`${gateway.name} is not installed: ${gateway.file} is not run.\n`);

(installed.length === 0 ? describe.skip : describe)('a real gateway, with its file in examples/', () => {
  const seen: { url: string | undefined; headers: NodeJS.Dict<string | string[]> }[] = [];
  const api = createServer((call, answer) => {
    seen.push({ url: call.url, headers: call.headers });
    answer.end('incident');
  });
  const ports = new Map<string, number>();
  const running: (() => Promise<unknown>)[] = [];

  async function start(gateway: Gateway): Promise<void> {
    const port = await freePort();
    const directory = temporaryDirectory();
    const file = join(directory, basename(gateway.file));
    const { port: apiPort } = api.address() as AddressInfo;
    const text = readFileSync(gateway.file, 'utf8')
      .replaceAll('8088', String(port))
      .replaceAll('8000', String(apiPort))
      .replaceAll('8080', new URL(broker.url).port);
    writeFileSync(file, gateway.adapt?.(text, directory) ?? text);
    const options = { stdio: 'ignore', env: { ...process.env, HOME: directory } } as const;
    const child = spawn(programOf(gateway) ?? '', gateway.args(file, directory), options);
    const ended = once(child, 'exit');
    running.push(() => {
      child.kill('SIGKILL');
      return ended;
    });
    ports.set(gateway.name, port);
    await until(
      () =>
        ask(gateway, '/').then(
          () => true,
          () => false,
        ),
      `${gateway.name} does not answer`,
    );
  }

  beforeAll(async () => {
    api.listen(0, '127.0.0.1');
    await once(api, 'listening');
    await Promise.all(installed.map(start));
  });
  afterAll(async () => {
    await Promise.all(running.map((stop) => stop()));
    api.close();
  });

  /** The path as it is written: fetch would tidy it up. */
  const ask = ({ name }: Gateway, path: string, headers: Record<string, string> = {}, method = 'GET') =>
    new Promise<number>((resolve, reject) => {
      const port = ports.get(name);
      const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      });
      sent.on('error', reject).end();
    });
  const bearer = { authorization: '' };
  beforeAll(() => void (bearer.authorization = `Bearer ${token}`));

  it.each(installed)(
    '$name hands on what the credential covers, and tells the API whose it is, whatever the client wrote',
    async (gateway) => {
      const forged = {
        'x-mayfly-subject': 'staff:root',
        'x-mayfly-task': 'tsk_x',
        'x-forwarded-uri': '/incidents/1',
        'x-forwarded-method': 'DELETE',
        x_mayfly_subject: 'x',
        X_MAYFLY_TASK: 'x',
        'x.mayfly.subject': 'x',
        'X~Mayfly-Task': 'x',
      };
      expect(await ask(gateway, '/incidents/4711?a=1', { ...bearer, ...forged })).toBe(200);
      const { url, headers } = seen.at(-1) ?? {};
      expect(url).toBe('/incidents/4711?a=1');
      expect(headers).toMatchObject({ 'x-mayfly-subject': 'lab:agent-7', 'x-mayfly-task': task });
      expect(headers).not.toHaveProperty('authorization');
      expect(Object.keys(headers ?? {}).filter((name) => /^x.mayfly/.test(name))).toHaveLength(4);
    },
  );

  it.each(installed)('$name hands nothing else on', async (gateway) => {
    const before = seen.length;
    const forged = {
      'x-original-uri': '/incidents/4711',
      'x-original-method': 'GET',
      'x-forwarded-uri': '/incidents/4711',
    };
    expect(await ask(gateway, '/incidents/4711')).toBe(401);
    expect(await ask(gateway, '/incidents/4711', { authorization: 'Bearer x' })).toBe(401);
    expect(await ask(gateway, '/incidents/4712', bearer)).toBe(403);
    expect(await ask(gateway, '/incidents/4712', { ...bearer, ...forged })).toBe(403);
    for (const path of [
      '/incidents/4712/../4711',
      '/incidents%2f4711',
      '//incidents/4711',
      '/incidents/471%31',
      '/incidents/4711/',
    ])
      expect([path, await ask(gateway, path, bearer)]).toEqual([path, 403]);
    for (const method of ['DELETE', 'POST', 'PUT', 'PATCH', 'OPTIONS', 'HEAD'])
      expect([method, await ask(gateway, '/incidents/4711', bearer, method)]).toEqual([method, 403]);
    for (const path of ['/_mayfly', '/', '/../tickets/incidents/4711'])
      expect([400, 403, 404]).toContain(await ask(gateway, path, bearer));
    expect(seen.length).toBe(before);
  });

  it('none hands anything on once the task is completed, nor when the broker does not answer', async () => {
    const before = seen.length;
    await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, agent);
    for (const gateway of installed)
      expect([gateway.name, await ask(gateway, '/incidents/4711', bearer)]).toEqual([gateway.name, 401]);
    await broker.close();
    for (const gateway of installed)
      expect([gateway.name, await ask(gateway, '/incidents/4711', bearer)]).toEqual([gateway.name, gateway.whenDown]);
    expect(seen.length).toBe(before);
  });
});
