/** Programs that a reader copies (examples/, docs/), as processes of their own beside a broker. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe } from '@jest/globals';
import { findPython, packagesOf } from '../../scripts/python.mjs';
import type { BrokerProcess } from './brokers/process.js';
import { temporaryDirectory } from './directory.js';
import { freePort } from '../../scripts/free-port.js';
import { until } from './until.js';

export type Env = Record<string, string>;

export interface Recipe {
  command: [string, ...string[]];
  env: Env;
}

/** The broker that a recipe is run beside. */
type Known = Pick<BrokerProcess, 'url' | 'identity'>;

export const python = findPython();
const directory = temporaryDirectory();
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

export const ofNode = (path: string): Recipe => ({
  command: [process.execPath, resolve(`dist/examples/${path}.js`)],
  env: {},
});

/** A script in Python, with the packages of a folder. Those of `from` are what it imports, beside the SDK from its source. */
export const ofPython = (path: string, packages = 'examples', from = path): Recipe => ({
  command: [python ?? '', resolve(path)],
  env: { PYTHONPATH: [resolve('sdk/python/src'), resolve(from, '..'), packagesOf(packages)].join(':') },
});

/** Says what is left out where it was not fetched. */
export function needing(...places: string[]): typeof describe | typeof describe.skip {
  if (python !== undefined && places.every((place) => existsSync(place))) return describe;
  console.warn(`Left out, because not all was fetched that it needs (examples/README.md): ${places.join(', ')}.`);
  return describe.skip;
}

/** The file with an identity of `lab:<workload>`. */
export async function identityFile(workload: string, at: Known): Promise<string> {
  const file = join(directory, `${workload}.identity`);
  writeFileSync(file, await at.identity(workload, { expiresInSeconds: 3_600 }));
  return file;
}

/** The environment of a recipe that runs as `lab:<workload>`. */
async function environmentOf({ env }: Recipe, workload: string, at: Known): Promise<Env> {
  const { PATH = '' } = process.env;
  return { PATH, HOME: directory, MAYFLY_BROKER: at.url, MAYFLY_IDENTITY: await identityFile(workload, at), ...env };
}

/** Runs a recipe to its end. */
export async function run(recipe: Recipe, workload: string, at: Known): Promise<Ran> {
  const env = await environmentOf(recipe, workload, at);
  const [program, ...args] = recipe.command;
  return new Promise((done) => {
    const child = execFile(program, args, { env }, (_error, stdout, stderr) =>
      done({ code: child.exitCode, said: stdout + stderr }),
    );
  });
}

interface Ran {
  code: number | null;
  said: string;
}

/** Starts a process that runs as long as the tests. */
export const startChild = (command: string, args: string[], env?: Env): void =>
  void children.push(spawn(command, args, { stdio: 'ignore', ...(env && { env }) }));

/**
 * Starts a server at the port that PORT names: it is up when it refuses a request without a credential. Returns its origin.
 * @param request whose refusal shows that it is up, such as `POST /mcp`
 */
export async function serve(
  recipe: Recipe,
  request: string,
  at: Known,
  { port, workload = 'tickets-api' }: { port?: number; workload?: string } = {},
): Promise<string> {
  const own = port ?? (await freePort());
  const [program, ...args] = recipe.command;
  startChild(program, args, { ...(await environmentOf(recipe, workload, at)), PORT: String(own) });
  const [method = '', path = ''] = request.split(' ');
  const origin = `http://127.0.0.1:${own}`;
  const isUp = () => fetch(`${origin}${path}`, { method }).then(({ status }) => status === 401);
  await until(() => isUp().catch(() => false), `${args.join(' ')} does not start`);
  return origin;
}
