/** `mayfly exec`: real commands under tasks of a real broker. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { until } from '../support/until.js';

let broker: TestBroker;
let tokenFile: string;
let orchestrator: string;
const directory = temporaryDirectory();

beforeAll(async () => {
  broker = await startBroker({ clock: handClock(Date.now()) });
  tokenFile = join(directory, 'identity');
  writeFileSync(tokenFile, await broker.identity('agent-7', { expiresInSeconds: 3_600 }));
  orchestrator = await broker.identity('orchestrator', { expiresInSeconds: 3_600 });
});

/** Runs a program of Node under `mayfly exec`. `said` is what it and the wrapper wrote. */
function underTask(program: string, ...options: string[]) {
  const wish = ['--purpose', 'summarise', '--target', TICKETS, '--access', 'incident/4711:read', ...options];
  const argv = [
    'exec',
    '--broker',
    broker.url,
    '--token-file',
    tokenFile,
    ...wish,
    '--',
    process.execPath,
    '-e',
    program,
  ];
  const child = spawn(process.execPath, [resolve('dist/src/cli/main.js'), ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
  return { child, ended, said: () => said };
}

const stateOf = async (id: string) =>
  ((await broker.get(`/tasks/${id}`, orchestrator)).body as { state: string }).state;
const SAY = `const { MAYFLY_TASK, MAYFLY_TOKEN_FILE } = process.env; const fs = require('node:fs');
  console.log(JSON.stringify([MAYFLY_TASK, MAYFLY_TOKEN_FILE, fs.readFileSync(MAYFLY_TOKEN_FILE, 'utf8'), fs.statSync(MAYFLY_TOKEN_FILE).mode & 0o777]));`;
const factsOf = (said: string) => {
  const [task, file, token, mode] = JSON.parse(said.split('\n')[0] ?? '') as [string, string, string, number];
  return { task, file, token, mode };
};
const isActive = async (token: string) =>
  ((await broker.introspect(token, await broker.identity('tickets-api'))).body as { active: boolean }).active;

describe('mayfly exec', () => {
  it('gives the command a credential, and takes it back with the task when the command is done', async () => {
    const { ended } = underTask(SAY);
    const { code, said } = await ended;
    const { task, file, token, mode } = factsOf(said);
    expect([code, mode]).toEqual([0, 0o600]);
    expect(await stateOf(task)).toBe('completed');
    expect(await isActive(token)).toBe(false);
    expect(existsSync(file)).toBe(false);
    expect(token).toMatch(/^eyJ/);
  });

  it.each([
    ['fails the task with the exit code', 'process.exit(7)', 7],
    ['fails the task of a command that a signal ended', "process.kill(process.pid, 'SIGKILL')", 137],
  ])('%s', async (_what, end, expected) => {
    const { code, said } = await underTask(`${SAY} ${end};`).ended;
    expect(code).toBe(expected);
    expect(await stateOf(factsOf(said).task)).toBe('failed');
  });

  it('leaves the task open where another process goes on with it', async () => {
    const { said } = await underTask(SAY, '--leave-open').ended;
    expect(await stateOf(factsOf(said).task)).toBe('open');
  });

  it('passes a signal on, and fails the task', async () => {
    const { child, ended, said } = underTask(
      `${SAY} process.on('SIGTERM', () => process.exit(3)); setInterval(() => 0, 1000);`,
    );
    await until(() => said().includes('eyJ'), 'the command runs');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(3);
    expect(await stateOf(factsOf(said()).task)).toBe('failed');
  });

  it('tells the command to end when somebody else ends the task', async () => {
    const { ended, said } = underTask(`${SAY} setInterval(() => 0, 1000);`, '--heartbeat', '1');
    await until(() => said().includes('eyJ'), 'the command runs');
    const { task } = factsOf(said());
    await broker.post(`/tasks/${task}/complete`, { outcome: 'cancelled' }, orchestrator);
    expect((await ended).code).toBe(143);
    expect(said()).toContain('has ended: cancelled. The command is told to end.');
    expect(await stateOf(task)).toBe('cancelled');
  });

  it('replaces the credential by another before its end, as a whole', async () => {
    const watch = `${SAY} let last; setInterval(() => { const now = fs.readFileSync(MAYFLY_TOKEN_FILE, 'utf8');
      if (last && now !== last) { console.log('replaced ' + now); process.exit(0); } last = now; }, 20);`;
    const { ended } = underTask(watch, '--lifetime', '10');
    const { code, said } = await ended;
    expect(code).toBe(0);
    expect(said).toMatch(/^replaced eyJ[\w-]+\.[\w-]+\.[\w-]+$/m);
  });

  it('says why nothing was run, and runs nothing', async () => {
    const marker = join(directory, 'ran');
    const { code, said } = await underTask(
      `require('node:fs').writeFileSync(${JSON.stringify(marker)}, '')`,
      '--access',
      'customer/1:read',
    ).ended;
    expect([code, existsSync(marker)]).toEqual([1, false]);
    expect(said).toContain('customer/1');
    expect(said).not.toContain(readFileSync(tokenFile, 'utf8'));
  });
});
