/** Client and verifier as their users get them: packed, unpacked elsewhere, compiled against, and run in processes of its own. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import type * as Client from '../../src/client/index.js';
import { startProcess, TICKETS, type BrokerProcess } from '../support/brokers/process.js';
import { temporaryDirectory } from '../support/directory.js';
import { until } from '../support/until.js';
import { fakeTime, told } from '../support/wrong-clock.js';

const NAME = '@mayfly-broker/client';
const directory = temporaryDirectory();
const home = join(directory, 'node_modules', NAME);
let packed: string[];

const VERIFIER = '@mayfly-broker/verifier';
const verifierHome = join(directory, 'node_modules', VERIFIER);
let verifierPacked: string[];

beforeAll(() => {
  packed = unpack('./sdk/typescript', home);
  verifierPacked = unpack('./sdk/verifier', verifierHome);
  cpSync('node_modules/jose', join(directory, 'node_modules/jose'), { recursive: true });
});

/** Packs a package as it is published, unpacks it, and returns the paths of its files. */
function unpack(source: string, into: string): string[] {
  const options = ['--ignore-scripts', '--json', '--pack-destination', directory];
  const told = execFileSync('npm', ['pack', source, ...options], { encoding: 'utf8' });
  const [{ filename, files }] = JSON.parse(told) as [{ filename: string; files: { path: string }[] }];
  mkdirSync(into, { recursive: true });
  execFileSync('tar', ['-xzf', join(directory, filename), '--strip-components=1', '-C', into]);
  return files.map(({ path }) => path);
}

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Writes a program that imports the package, and returns its path. */
function program(name: string, text: string): string {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
}
const run = (name: string, text: string) =>
  execFileSync(process.execPath, [program(name, text)], { cwd: directory, encoding: 'utf8', stdio: 'pipe' });

interface Manifest {
  version: string;
  private?: boolean;
  dependencies?: object;
  license: string;
  main?: string;
  types?: string;
  exports?: { '.': { types: string; default: string } };
}
const manifest = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Manifest;

describe('the package', () => {
  it('is imported and required without any other package', () => {
    const names = expect.arrayContaining(['mayfly', 'fetchFor', 'fromFile', 'TaskEnded']);
    const print = 'console.log(JSON.stringify(Object.keys(client)));';
    expect(JSON.parse(run('a.mjs', `import * as client from '${NAME}'; ${print}`))).toEqual(names);
    expect(JSON.parse(run('a.cjs', `const client = require('${NAME}'); ${print}`))).toEqual(names);
    expect(manifest(join(home, 'package.json'))).not.toHaveProperty('dependencies');
  });

  it('gives away nothing but its entrance', () => {
    expect(() => run('b.mjs', `import '${NAME}/dist/client/request.js';`)).toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('has its licence, and of the broker only the client and what it needs', () => {
    const [others, client] = [packed, packed].map((paths, isClient) =>
      paths.filter((path) => path.startsWith('dist/client/') === Boolean(isClient)).sort(),
    );
    const words = [
      'domain/retry',
      'domain/safe-origin',
      'domain/task-outcome',
      'domain/text',
      'protocol/oauth',
    ].flatMap((path) => [`dist/${path}.d.ts`, `dist/${path}.js`]);
    expect(others).toEqual(['LICENSE', 'README.md', ...words, 'package.json']);
    expect(client?.every((path) => /\.(?:d\.ts|js)$/.test(path))).toBe(true);
    expect(readFileSync(join(home, 'LICENSE'), 'utf8')).toBe(readFileSync('LICENSE', 'utf8'));
  });

  it('may be published, has the version of the broker, and the broker itself may not', () => {
    const [client, broker] = [manifest(join(home, 'package.json')), manifest('package.json')];
    expect(client).not.toHaveProperty('private');
    expect(client).toMatchObject({ version: broker.version, license: broker.license });
    expect(broker.private).toBe(true);
  });

  // `moduleResolution: node` of older projects does not look at `exports`.
  it.each(['typescript', 'verifier'])('is found by compilers that know no exports: sdk/%s', (name) => {
    const { main, types, exports } = manifest(`sdk/${name}/package.json`);
    expect({ types, default: main }).toEqual(exports?.['.']);
  });

  it.each([
    ['nodenext', 'nodenext'],
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ])('has, as the verifier, types for a strict consumer: module %s, resolution %s', (module, moduleResolution) => {
    const files = [program('consumer.mts', CONSUMER), program('verifier-consumer.mts', VERIFIER_CONSUMER)];
    const types = { typeRoots: [resolve('node_modules/@types')], types: ['node'] };
    const strict = { strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck: false };
    const compilerOptions = { module, moduleResolution, target: 'es2023', ...types, ...strict };
    program('tsconfig.json', JSON.stringify({ compilerOptions, files }));
    const compiler = resolve('node_modules/@typescript/native/bin/tsc');
    // It throws with what the compiler says.
    execFileSync(process.execPath, [compiler, '-p', directory], { encoding: 'utf8', stdio: 'pipe' });
  });
});

const CONSUMER = `
import { awsCredentialsFor, fetchFor, fromAws, fromFile, fromGitHubActions, fromSpiffe, mayfly, mcpAuthFor } from '${NAME}';
import { IdentityUnavailable, Refused, TaskEnded, Unavailable, type Credential, type Task } from '${NAME}';
const broker = mayfly({ url: 'https://mayfly.example', identity: fromFile('/token'), timeoutMs: 1_000 });
export const sources = [fromGitHubActions('a'), fromSpiffe('a', 'unix:///a'), fromAws({ getWebIdentityToken: async () => ({}) }, 'a')];
export async function use(): Promise<void> {
  await using task: Task = await broker.task({ purpose: 'triage' });
  const credential: Credential = await task.credential('https://tickets.example', { access: ['incident/1:read'], lifetimeSeconds: 60 });
  const call: typeof fetch = fetchFor(task, { target: 'https://tickets.example' });
  await call('https://tickets.example', { signal: task.signal, headers: { 'X-Scope': credential.scope } });
  const { expiration }: { expiration: Date } = await awsCredentialsFor(task, 'arn:aws:iam::111122223333:role/agent')();
  const token: string = await mcpAuthFor(task, { target: 'https://tickets.example' }).token();
  void [expiration, token];
  await task.complete('failed', 'why');
}
export const isOver = (error: unknown): boolean => error instanceof TaskEnded && error.outcome === 'completed';
export const seconds = (error: unknown): number | undefined =>
  error instanceof Refused || error instanceof Unavailable ? error.retryAfterSeconds : error instanceof IdentityUnavailable ? 0 : undefined;
`;

const VERIFIER_CONSUMER = `
import { createServer, type IncomingMessage } from 'node:http';
import { admittedOf, covers, createVerifier, fromFile, guardTool, mcpTokenVerifier, metadataOf, protect } from '${VERIFIER}';
import { scopeChallengeOf, VerificationError, type Claims, type Needed, type Seen, type VerificationReason, type Verifier } from '${VERIFIER}';

export const refusals = new Map<VerificationReason, number>();
const observe = (seen: Seen): void => {
  if (seen.is === 'decision' && seen.refused) refusals.set(seen.refused, (refusals.get(seen.refused) ?? 0) + 1);
};
const options = { issuer: 'https://a', audience: 'https://b', identity: fromFile('/token'), staleMs: 3_000, observe };
const verifier: Verifier = createVerifier(options);
export async function use(token: string): Promise<Claims | 401 | 403 | 503> {
  const needed: Needed = { resource: 'incident/4711', action: 'read' };
  try {
    const claims = await verifier.verify(token, needed);
    const stop: () => void = verifier.onRevoked(claims, ({ reason }) => console.log(reason));
    stop();
    return covers(claims, needed) ? claims : 403;
  } catch (error) {
    if (error instanceof VerificationError) return error.status;
    throw error;
  }
}

const read = (number: string | number): Needed => ({ resource: 'incident/' + number, action: 'read' });
const plain = protect(verifier, { needs: ({ url = '' }) => read(url), scopes: ['read'] });
createServer((request, response) =>
  plain(request, response, () => {
    const signal: AbortSignal = admittedOf(request).signal;
    response.end(JSON.stringify({ ...metadataOf(verifier), signal }));
  }),
);
/** As the request of a framework is one of Node, and more. */
type Framed = IncomingMessage & { params: { number: string } };
export const framed: (...args: [Framed, Parameters<typeof plain>[1], () => void]) => void = protect(verifier, {
  needs: ({ params }: Framed) => read(params.number),
});

const needs = { use: read(0), data: ({ number }: { number: number }) => [read(number)] };
export const tool = guardTool(verifier, needs, ({ number }, context: { http?: { authInfo?: { extra?: unknown } } }) => ({ number, context }));
export const challenge: { scopes: [string, ...string[]] } | undefined = scopeChallengeOf(needs)({ request: { params: { arguments: {} } } });
export const info = mcpTokenVerifier(verifier, (message) => new Error(message)).verifyAccessToken('token');
`;

/** Says what it got, and works for ever. */
const AGENT = `
import { mayfly } from '${NAME}';
const [url, token] = process.argv.slice(2);
const task = await mayfly({ url, identity: () => token }).task({ purpose: 'triage', heartbeatSeconds: 1 });
const credential = await task.credential('${TICKETS}', 'incident/4711:read');
const again = await task.credential('${TICKETS}', 'incident/4711:read');
const { expiresInSeconds: left } = again;
console.log(JSON.stringify({ now: Date.now(), task: task.id, token: credential.token, isKept: again === credential, left }));
setInterval(() => undefined, 1_000);
`;

/** Answers in the place of the target, and says with which credential it was asked. */
const TICKETS_ANSWER = `
const { fetch: real } = globalThis;
globalThis.fetch = (asked, init) => {
  if (!asked.url?.startsWith('${TICKETS}/')) return real(asked, init);
  console.log(asked.headers.get('authorization').replace('Bearer ', ''));
  return Promise.resolve(Response.json({}));
};
`;

interface Said {
  now: number;
  task: string;
  token: string;
  isKept: boolean;
  left: number;
}

describe('the package of the verifier', () => {
  it('is imported and required with jose and no other package, and gives away nothing but its entrance', () => {
    const names = expect.arrayContaining(['createVerifier', 'covers', 'VerificationError', 'fromFile']);
    const print = 'console.log(JSON.stringify(Object.keys(all)));';
    expect(JSON.parse(run('v.mjs', `import * as all from '${VERIFIER}'; ${print}`))).toEqual(names);
    expect(JSON.parse(run('v.cjs', `const all = require('${VERIFIER}'); ${print}`))).toEqual(names);
    expect(() => run('w.mjs', `import '${VERIFIER}/dist/verifier/token.js';`)).toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
    const dependencies = { jose: (manifest('package.json').dependencies as { jose: string }).jose };
    expect(manifest(join(verifierHome, 'package.json'))).toMatchObject({
      version: manifest('package.json').version,
      dependencies,
    });
  });

  it('has of the broker only the words and rules that need no library', () => {
    const rooms = new Set(verifierPacked.flatMap((path) => /^dist\/(\w+)\//.exec(path)?.[1] ?? []));
    expect([...rooms].sort()).toEqual(['client', 'domain', 'protocol', 'verifier']);
    expect(verifierPacked).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist/domain/liveness.js']));
  });
});

describe('a process with the client', () => {
  let broker: BrokerProcess;
  beforeAll(async () => (broker = await startProcess()));

  async function startAgent(
    wrap: (...argv: string[]) => string[] = (...argv) => argv,
  ): Promise<{ child: ChildProcess; said: Said }> {
    const path = program('agent.mjs', AGENT);
    const [command = '', ...args] = wrap(process.execPath, path, broker.url, await broker.identity('agent-7'));
    const child = spawn(command, args, { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    return { child, said: JSON.parse(line) as Said };
  }
  const isActive = async (token: string) =>
    ((await broker.introspect(token, await broker.identity('tickets-api'))).body as { active: boolean }).active;
  const stateOf = async (task: string) =>
    ((await broker.get(`/tasks/${task}`, await broker.identity('orchestrator'))).body as { state: string }).state;

  it.each(['README.md', 'docs/clients.md', 'sdk/typescript/README.md'])('does what %s shows first', async (page) => {
    const [, shown = ''] = /```ts\n(import [^`]*broker\.run[^`]*)```/.exec(readFileSync(page, 'utf8')) ?? [];
    const here = shown
      .replace('https://mayfly.example', broker.url)
      .replace('/var/run/secrets/mayfly/token', program('identity', await broker.identity('agent-7')));
    const token = run('shown.mjs', `${TICKETS_ANSWER}\n${here}`).trim();
    const { task } = decodeJwt<{ task: { id: string } }>(token);
    expect([await stateOf(task.id), await isActive(token)]).toEqual(['completed', false]);
  });

  it('is missed by the broker after kill -9, which ends its task', async () => {
    const { child, said } = await startAgent();
    expect(await isActive(said.token)).toBe(true);
    child.kill('SIGKILL');
    await until(async () => (await stateOf(said.task)) === 'expired', 'the task of the killed process lives');
    expect(await isActive(said.token)).toBe(false);
  });

  it('works with what lives while the broker is away, and goes on with its task when it is back', async () => {
    // The very files of the package.
    const { mayfly } = (await import(join(home, 'dist/client/index.js'))) as typeof Client;
    const identity = await broker.identity('agent-7');
    const task = await mayfly({ url: broker.url, identity: () => identity }).task({ purpose: 'triage' });
    const first = await task.credential(TICKETS, 'incident/4711:read');
    await broker.kill();
    expect(await task.credential(TICKETS, 'incident/4711:read')).toBe(first);
    const refused = { name: 'Unavailable', message: 'The broker cannot be reached: ECONNREFUSED.' };
    await expect(task.credential(TICKETS, 'incident/4712:read')).rejects.toMatchObject(refused);
    await broker.start();
    expect(await isActive(first.token)).toBe(true);
    expect(await isActive((await task.credential(TICKETS, 'incident/4712:read')).token)).toBe(true);
    await task.complete();
    expect(await stateOf(task.id ?? '')).toBe('completed');
  });

  if (!fakeTime) console.warn('Left out, because faketime is not installed: a client whose clock is an hour off.');
  (fakeTime ? it.each([-3_600, 3_600]) : it.skip.each([0]))(
    'counts the life of its credentials right although its clock is off by %d s',
    async (seconds) => {
      const before = Date.now();
      const { child, said } = await startAgent((...argv) => told(seconds, ...argv));
      const shown = said.now - seconds * 1_000;
      expect(shown).toBeGreaterThan(before - 60_000);
      expect(shown).toBeLessThan(Date.now() + 60_000);
      expect(said.isKept).toBe(true);
      expect(said.left).toBeGreaterThan(200);
      expect(said.left).toBeLessThanOrEqual(300);
      expect(await isActive(said.token)).toBe(true);
      child.kill('SIGKILL');
    },
  );
});
