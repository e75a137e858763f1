/**
 * A real OPA for tests: the one at OPA_URL, else `opa` of the PATH, started on a free loopback port and ended when the tests of the
 * file are over. Where there is neither, what needs it is skipped, and its title says so.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, describe } from '@jest/globals';
import { freePort } from '../../../scripts/free-port.js';
import { until } from '../until.js';

const { OPA_URL: given } = process.env;
const { stdout: said } = spawnSync('sh', ['-c', 'opa version 2>/dev/null'], { encoding: 'utf8' });
const version = /^Version: (\S+)/m.exec(said)?.[1];

/** Which OPA the tests run against, for the titles of tests. */
export const WHICH_OPA = given
  ? `the OPA at OPA_URL`
  : version === undefined
    ? 'skipped: there is no opa on the PATH, and OPA_URL is not set'
    : `OPA ${version} of the PATH`;

export const describeWithOpa = given || version !== undefined ? describe : describe.skip;
/** Where `opa` itself is needed, and a server elsewhere does not do. */
export const describeWithOpaCommand = version === undefined ? describe.skip : describe;

// Ends the server when our end of its input closes, so that not even a killed test run leaves one behind.
const TIED = `
  opa "$@" >/dev/null 2>&1 & server=$!
  exec 3<&0; (cat <&3; kill -9 $server) >/dev/null & tie=$!
  wait $server; kill $tie`;

const ending: (() => unknown)[] = [];
afterAll(() => Promise.all(ending.map((end) => end())));

export interface TestOpa {
  url: string;
  /** Puts a module in force, in the place of an earlier one of that name. */
  put: (name: string, rego: string) => Promise<void>;
  stop: () => Promise<void>;
}

let shared: Promise<TestOpa> | undefined;

/** Returns the one for all tests of a file. */
export const sharedOpa = (): Promise<TestOpa> => (shared ??= given ? Promise.resolve(at(given)) : startOpa());

/** @param more Arguments of `opa run --server`, such as files and bundles. */
export async function startOpa(...more: string[]): Promise<TestOpa> {
  const address = `127.0.0.1:${await freePort()}`;
  const args = ['run', '--server', '--disable-telemetry', '--addr', address, ...more];
  const child = spawn('sh', ['-c', TIED, 'opa', ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
  const stop = async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'exit');
  };
  ending.push(stop);
  const isUp = () => fetch(`http://${address}/health`).then(({ ok }) => ok, () => false); // prettier-ignore
  await until(isUp, 'OPA does not start');
  return { ...at(`http://${address}`), stop };
}

const at = (url: string): TestOpa => ({
  url,
  async put(name, rego) {
    const answer = await fetch(`${url}/v1/policies/${name}`, { method: 'PUT', body: rego });
    if (!answer.ok) throw new Error(`OPA refuses ${name}: ${await answer.text()}`);
  },
  stop: () => Promise.resolve(),
});
