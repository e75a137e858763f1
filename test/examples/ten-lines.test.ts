/**
 * The ten lines for each stack in docs/resource-servers.md, as they are printed there, each as a process beside a broker: they
 * let in a fitting credential, and no other, and none whose task is over.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import ts from 'typescript';
import { GO_CACHE, packagesOf, SPRING_JARS } from '../../scripts/python.mjs';
import { mayfly, type Task } from '../../src/client/index.js';
import { startProcess, TICKETS, type BrokerProcess } from '../support/brokers/process.js';
import { temporaryDirectory } from '../support/directory.js';
import { freePort } from '../../scripts/free-port.js';
import { identityFile, needing, ofPython, serve, type Recipe } from '../support/recipes.js';
import { until } from '../support/until.js';

const page = readFileSync('docs/resource-servers.md', 'utf8');
const [, chapter = ''] = /## Ten lines for your stack\n(.*?)\n## /s.exec(page) ?? [];
const [common = '', ...sections] = chapter.split('\n### ');
const stacks = sections.map((section) => {
  const [, name = '', language = '', text = ''] = /^([^\n]+)\n.*?```(\w+)\n(.*?)```/s.exec(section) ?? [];
  return { name, language, text, isRun: !section.includes('<!-- not run: ') };
});
const [, verifier = ''] = /```ts\n(.*?)```/s.exec(common) ?? [];

const directory = temporaryDirectory();
let broker: BrokerProcess;
beforeAll(async () => {
  broker = await startProcess();
  mkdirSync(join(directory, 'node_modules/@mayfly-broker'), { recursive: true });
  const link = (name: string, path: string) => symlinkSync(resolve(path), join(directory, 'node_modules', name));
  link('@mayfly-broker/verifier', 'sdk/verifier');
  for (const name of ['express', '@modelcontextprotocol', '@hono', 'hono', 'zod']) link(name, `node_modules/${name}`);
});

/** Starts what is printed for a stack, with the addresses of this test. Returns its origin. */
async function start(name: string, request: string): Promise<string> {
  const { language, text } = stacks.find((stack) => stack.name === name) ?? { language: '', text: '' };
  const [port, identity] = [await freePort(), await identityFile('tickets-api', broker)];
  const program = (language === 'ts' ? javaScript(verifier + text) : text)
    .replaceAll('https://mayfly.example', broker.url)
    .replaceAll('/var/run/secrets/mayfly/token', identity)
    .replaceAll('8000', String(port));
  const folder = join(directory, name.replaceAll(/\W/g, '-'));
  mkdirSync(folder);
  const file = (ending: string): string => {
    const path = join(folder, ending);
    writeFileSync(path, program);
    return path;
  };
  const { command, env } = made[language]?.(file, folder) ?? {};
  return serve({ command: command ?? [''], env: { ...env, SERVER_PORT: String(port) } }, request, broker, { port });
}

/** How a program is made that can be started. */
const made: Record<string, (file: (name: string) => string, folder: string) => Recipe> = {
  ts: (file) => ({ command: [process.execPath, file('api.mjs')], env: {} }),
  python: (file) => ofPython(file('api.py')),
  go(file, folder) {
    const { PATH = '' } = process.env;
    const env = { PATH, HOME: folder, GOCACHE: GO_CACHE, GOTOOLCHAIN: 'local', CGO_ENABLED: '0' };
    execFileSync('go', ['build', '-o', join(folder, 'api'), file('main.go')], { env });
    return { command: [join(folder, 'api')], env: {} };
  },
  java(file, folder) {
    execFileSync('javac', ['-parameters', '-cp', `${SPRING_JARS}/*`, '-d', folder, file('Api.java')]);
    return { command: ['java', '-cp', `${folder}:${SPRING_JARS}/*`, 'example.Api'], env: {} };
  },
};

const javaScript = (text: string): string =>
  ts.transpile(text, { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 });

async function task(): Promise<Task> {
  const token = await broker.identity('agent-7');
  return mayfly({ url: broker.url, identity: () => token }).task({ purpose: 'triage' });
}

/** With what each answers a live credential that is for something else. */
const APIS = [
  ['express', 403, describe],
  ['node:http', 403, describe],
  ['Hono, and what else has no request of Node', 403, describe],
  ['FastAPI, Starlette', 403, needing(packagesOf('examples'))],
  ['Go', 401, needing(GO_CACHE)],
  ['Java, Spring', 403, needing(SPRING_JARS)],
] as const;

describe.each(APIS)('an API: %s', (name, other, describeHere) => {
  describeHere('as printed', () => {
    it('lets in a fitting credential, and no other, and none whose task is over', async () => {
      const origin = await start(name, 'GET /incident/4711');
      const work = await task();
      const { token } = await work.credential(TICKETS, 'incident/4711:read');
      const ask = (number: number, authorization = `Bearer ${token}`) =>
        fetch(`${origin}/incident/${number}`, { headers: { authorization } });
      await until(async () => (await ask(4711)).status !== 503, 'the API does not hear the feed');
      const statuses = async () => [(await ask(4711)).status, (await ask(4712)).status, (await ask(4711, 'x')).status];
      expect(await statuses()).toEqual([200, other, 401]);
      await work.complete();
      await until(async () => (await ask(4711)).status === 401, 'the API does not hear that the task is over');
      // Go compiles its library when it does so for the first time.
    }, 300_000);
  });
});

const SERVERS = [
  ['MCP server, TypeScript SDK 2', describe],
  ['MCP server, TypeScript SDK 1', describe],
  ['MCP server, Python', needing(packagesOf('examples'))],
] as const;

describe.each(SERVERS)('an %s', (name, describeHere) => {
  describeHere('as printed', () => {
    let origin: string;
    const called = async (token: string, number: number): Promise<string> => {
      const authProvider = { token: () => Promise.resolve(token) };
      const client = new Client({ name: 'test', version: '1.0.0' });
      await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', origin), { authProvider }));
      const { content } = await client.callTool({ name: 'read_incident', arguments: { number } });
      await client.close();
      return JSON.stringify(content);
    };
    /** What a call ends with, whether by the result of the tool or by a status. */
    const ending = (...call: Parameters<typeof called>) =>
      called(...call).catch((error: unknown) => JSON.stringify(error));

    it('lets a credential use the tool and touch what it is for, and nothing else, until its task is over', async () => {
      origin = await start(name, 'POST /mcp');
      const work = await task();
      const { token } = await work.credential(TICKETS, ['tool/read_incident:execute', 'incident/4711:read']);
      const { token: useless } = await work.credential(TICKETS, 'incident/4711:read');
      await until(
        async () => (await ending(token, 4711)).includes('incident 4711'),
        'the server does not hear the feed',
      );
      expect(await ending(token, 4712)).toContain('incident/4712:read');
      expect(await ending(useless, 4711)).toContain('tool/read_incident:execute');
      await work.complete();
      const headers = { authorization: `Bearer ${token}` };
      const status = async () => (await fetch(`${origin}/mcp`, { method: 'POST', headers })).status;
      await until(async () => (await status()) === 401, 'the server does not hear that the task is over');
    });

    it('tells clients which broker it believes', async () => {
      const challenge = (await fetch(`${origin}/mcp`, { method: 'POST' })).headers.get('www-authenticate');
      const where = /resource_metadata="([^"]+)"/.exec(challenge ?? '')?.[1] ?? '';
      const found = await fetch(where.replace(TICKETS, origin));
      expect(await found.json()).toMatchObject({ authorization_servers: [broker.url] });
    });
  });
});

it('every stack on the page is run here, or says why not', () => {
  const run = [...APIS, ...SERVERS].map(([name]) => name);
  const programs = stacks.filter(({ isRun, language }) => isRun && language !== 'nginx' && language !== 'sh');
  expect(programs.map(({ name }) => name).sort()).toEqual(run.sort());
});

/** The lines of a text, without spaces around them and comments behind them. */
const lines = (text: string) => text.split('\n').flatMap((line) => line.replace(/ (?:\/\/|#) .*$/, '').trim() || []);

it('what is printed for nginx is in the file that is run with it', () => {
  const printed = lines(stacks.find(({ language }) => language === 'nginx')?.text ?? '');
  expect(printed.length).toBeGreaterThan(10);
  expect(lines(readFileSync('examples/nginx/nginx.conf', 'utf8'))).toEqual(expect.arrayContaining(printed));
});

it.each(['README.md', 'sdk/verifier/README.md'])('what %s shows to APIs is among what is run', (path) => {
  const blocks = [...readFileSync(path, 'utf8').matchAll(/```(?:ts|python)\n(.*?)```/gs)].map(([, text = '']) => text);
  const shown = blocks.filter((text) => /protect\(|Guard\(/.test(text));
  expect(shown.length).toBeGreaterThan(0);
  expect(lines(chapter)).toEqual(expect.arrayContaining(shown.flatMap(lines)));
});
