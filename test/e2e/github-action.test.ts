/** The GitHub Action, run as a runner runs it: by action.yml, with inputs and files in the environment, and an OIDC endpoint. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { startBroker, TICKETS, type TestBroker } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { until } from '../support/until.js';

const action = parse(readFileSync('action.yml', 'utf8')) as {
  inputs: Record<string, object>;
  runs: { main: string; post: string; 'post-if': string };
};

let broker: TestBroker;
let orchestrator: string;
const github = createServer((request, response) => {
  void (async () => {
    const audience = new URL(request.url ?? '', 'http://github').searchParams.get('audience') ?? '';
    const known = request.headers.authorization === 'Bearer of-the-job';
    const value = known ? await broker.identity('agent-7', { aud: audience, expiresInSeconds: 3_600 }) : undefined;
    response.end(JSON.stringify({ value }));
  })();
});

beforeAll(async () => {
  github.listen(0, '127.0.0.1');
  await once(github, 'listening');
  broker = await startBroker({ clock: handClock(Date.now()), config: { lifetimes: { credential: 3 } } });
  orchestrator = await broker.identity('orchestrator', { expiresInSeconds: 3_600 });
});
afterAll(() => void github.close());

const WISH = { purpose: 'summarise', target: TICKETS, access: 'incident/4711:read\nincident/4712:read' };

/** A job on a runner: what its steps are given, and what they have written. */
function job(wish: Record<string, string> = {}, more: Record<string, string> = {}) {
  const directory = temporaryDirectory();
  const temp = join(directory, 'temp');
  mkdirSync(temp);
  const files = ['OUTPUT', 'ENV', 'STATE'].map((name) => [`GITHUB_${name}`, join(directory, name)] as const);
  for (const [, file] of files) writeFileSync(file, '');
  const inputs = Object.entries({ broker: broker.url, ...WISH, ...wish });
  const env = {
    PATH: process.env['PATH'] ?? '',
    RUNNER_TEMP: temp,
    ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${(github.address() as AddressInfo).port}/token?api-version=2`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'of-the-job',
    ...Object.fromEntries(files),
    ...Object.fromEntries(inputs.map(([name, text]) => [`INPUT_${name.toUpperCase()}`, text])),
    ...more,
  };
  const written = (name: string): Record<string, string> => {
    const lines = readFileSync(join(directory, name), 'utf8').split('\n').filter(Boolean);
    return Object.fromEntries(
      lines.map((line): [string, string] => [line.split('=')[0] ?? '', line.slice(line.indexOf('=') + 1)]),
    );
  };
  return { env, temp, written };
}

function step(file: string, env: Record<string, string>) {
  const child = spawn(process.execPath, [resolve(file)], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  return { child, ...saying(child) };
}

function saying(child: ChildProcess) {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (said += part.toString()));
  const ended = once(child, 'exit').then(([code]) => ({ code: code as number | null, said }));
  return { ended, said: () => said };
}

/** Runs the step, and returns what the rest of the job has of it. */
async function begun(its = job()) {
  const { code, said } = await step(action.runs.main, its.env).ended;
  expect({ code, said }).toMatchObject({ code: 0 });
  const { MAYFLY_TASK: task = '', MAYFLY_TOKEN_FILE: file = '' } = its.written('ENV');
  const [, pid = ''] = /kept by process (\d+)/.exec(said) ?? [];
  return { ...its, task, file, token: readFileSync(file, 'utf8'), said, keeper: Number(pid) };
}

/** Runs the step after the job, with the state that the runner hands on. */
function after(its: ReturnType<typeof job>, status: string) {
  const state = Object.entries(its.written('STATE')).map(([name, text]): [string, string] => [`STATE_${name}`, text]);
  return step(action.runs.post, { ...its.env, ...Object.fromEntries(state), 'INPUT_JOB-STATUS': status }).ended;
}

const stateOf = async (id: string) =>
  ((await broker.get(`/tasks/${id}`, orchestrator)).body as { state: string }).state;
const isActive = async (token: string) =>
  ((await broker.introspect(token, await broker.identity('tickets-api'))).body as { active: boolean }).active;

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const gone = ({ keeper }: { keeper: number }) => until(() => !isRunning(keeper), 'the keeper stays');

describe('the GitHub Action', () => {
  it('gives the job a credential in a file that is its own, and a masked token is nowhere else', async () => {
    const its = await begun();
    const { task, file, token, said } = its;
    expect(its.written('OUTPUT')).toEqual({ task, 'token-file': file });
    expect([dirname(dirname(file)), statSync(file).mode & 0o777]).toEqual([its.temp, 0o600]);
    expect(said.split('\n').filter((line) => line.includes(token))).toEqual([`::add-mask::${token}`]);
    expect(JSON.stringify([its.written('ENV'), its.written('OUTPUT'), its.written('STATE')])).not.toContain('eyJ');
    expect([await isActive(token), await stateOf(task)]).toEqual([true, 'open']);

    // The credential is replaced while the steps of the job run.
    await until(() => readFileSync(file, 'utf8') !== token, 'the credential is not renewed');
    const renewed = readFileSync(file, 'utf8');

    expect(await after(its, 'success')).toMatchObject({ code: 0, said: expect.stringContaining('is over: completed') });
    expect([await isActive(token), await isActive(renewed), await stateOf(task)]).toEqual([false, false, 'completed']);
    expect(existsSync(dirname(file))).toBe(false);
    await gone(its);
  });

  it.each([
    ['failure', 'failed'],
    ['cancelled', 'cancelled'],
    ['something new', 'failed'],
  ])('ends the task after a job of status %s: %s', async (status, outcome) => {
    const its = await begun();
    expect(await after(its, status)).toMatchObject({ code: 0 });
    expect(await stateOf(its.task)).toBe(outcome);
  });

  it('runs its end whatever happened to the job, and learns how it ended', () => {
    expect(action.runs['post-if']).toBe('always()');
    expect(action.inputs['job-status']).toMatchObject({ default: '${{ job.status }}' });
  });

  it('says that somebody else has ended the task, and keeps nothing alive', async () => {
    const its = await begun();
    await broker.post(`/tasks/${its.task}/complete`, { outcome: 'cancelled' }, orchestrator);
    const { code, said } = await after(its, 'success');
    expect([code, said]).toEqual([0, expect.stringContaining(`::warning::The task ${its.task} has ended: cancelled`)]);
    expect(existsSync(its.file)).toBe(false);
  });

  it('leaves nothing alive when the runner is killed and there is no step after the job', async () => {
    const its = job();
    const program = `require('node:child_process').spawn(process.execPath, [${JSON.stringify(resolve(action.runs.main))}], { stdio: 'inherit' }); setInterval(() => 0, 1000);`;
    const runner = spawn(process.execPath, ['-e', program], { env: its.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const { said } = saying(runner);
    await until(() => said().includes('is open'), 'the step is not done');
    const { MAYFLY_TASK: task = '', MAYFLY_TOKEN_FILE: file = '' } = its.written('ENV');
    const [, pid = ''] = /kept by process (\d+)/.exec(said()) ?? [];
    runner.kill('SIGKILL');
    await gone({ keeper: Number(pid) });
    expect(existsSync(file)).toBe(false);
    expect(await stateOf(task)).toBe('open');
    // Three heartbeats of 30 seconds are missing.
    await broker.advance(91_000);
    await broker.work('sweep');
    expect(await stateOf(task)).toBe('expired');
  });

  it('ends at once what a step has opened that dies before the job knows of it', async () => {
    const its = job({}, { GITHUB_STATE: join(temporaryDirectory(), 'missing', 'state') });
    const { code, said } = await step(action.runs.main, its.env).ended;
    expect([code, said]).toEqual([1, expect.stringContaining('::add-mask::eyJ')]);
    const isOpen = async () => {
      const { body } = await broker.get('/tasks?workload=lab:agent-7&state=open', orchestrator);
      return (body as { tasks: object[] }).tasks.length > 0;
    };
    await until(async () => !(await isOpen()), 'the task stays open');
    await until(() => readdirSync(its.temp).length === 0, 'the file stays');
  });

  it.each([
    ['what policy refuses', { access: 'customer/1:read' }, {}, /^::error::.*customer\/1/],
    ['a job that may not ask for a token', {}, { ACTIONS_ID_TOKEN_REQUEST_URL: '' }, /^::error::.*id-token: write/],
    ['a broker in clear text', { broker: 'http://mayfly.example' }, {}, /^::error::.*must be https/],
    ['a deadline that is none', { 'deadline-seconds': 'soon' }, {}, /^::error::deadline-seconds is a whole number/],
    ['a sentence with a line break', { purpose: 'a\n::set-env name=PATH::/tmp' }, {}, /^::error::[^\n]+\n$/],
  ])('fails the step for %s, and hands on nothing', async (_what, wish, more, said) => {
    const its = job(wish, more);
    expect(await step(action.runs.main, its.env).ended).toEqual({ code: 1, said: expect.stringMatching(said) });
    expect([its.written('ENV'), its.written('OUTPUT'), its.written('STATE')]).toEqual([{}, {}, {}]);
  });
});
