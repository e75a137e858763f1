/** `mayfly exec`, `proxy` and `headers`: real processes under tasks of a real broker. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { answerOverHttp } from '../support/approvals/answer-over-http.js';
import { startBroker, TICKETS, WIKI, type TestBroker } from '../support/brokers/http.js';
import { BUCKET, details, ROLE, startAwsBroker, type AwsBroker } from '../support/brokers/http-aws.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { until } from '../support/until.js';

let broker: TestBroker;
let tokenFile: string;
let orchestrator: string;
const directory = temporaryDirectory();

beforeAll(async () => {
  broker = await startBroker({
    clock: handClock(Date.now()),
    config: {
      targets: [
        { resource: TICKETS, minter: 'jwt' },
        { resource: WIKI, minter: 'jwt', defaultPurpose: 'tool-use', defaultAccess: ['page/1:read'] },
      ],
    },
    policies: `@id("wiki") permit (principal, action == Action::"read", resource in Target::"${WIKI}");`,
  });
  tokenFile = join(directory, 'identity');
  writeFileSync(tokenFile, await broker.identity('agent-7', { expiresInSeconds: 3_600 }));
  orchestrator = await broker.identity('orchestrator', { expiresInSeconds: 3_600 });
});

/** Runs `mayfly`, as the workload. `said` is what it and its command wrote. */
function start([name = '', ...argv]: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const options = ['--broker', broker.url, '--token-file', tokenFile];
  const child = spawn(process.execPath, [resolve('dist/src/cli/main.js'), name, ...options, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said }));
  return { child, ended, said: () => said };
}

const WISH = ['--target', TICKETS, '--access', 'incident/4711:read'];

/** Runs a program of Node under `mayfly exec`. */
const underTask = (program: string, ...options: string[]) =>
  start(['exec', '--purpose', 'summarise', ...WISH, ...options, '--', process.execPath, '-e', program]);

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

  it('leaves the task open where another process goes on with it, and its credential alive', async () => {
    const { said } = await underTask(SAY, '--leave-open').ended;
    const { task, token } = factsOf(said);
    expect([await stateOf(task), await isActive(token)]).toEqual(['open', true]);
  });

  it('passes a signal on, and fails the task', async () => {
    const { child, ended, said } = underTask(
      `process.on('SIGTERM', () => process.exit(3)); setInterval(() => 0, 1000); ${SAY}`,
    );
    await until(() => said().includes('eyJ'), 'the command runs');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(3);
    expect(await stateOf(factsOf(said()).task)).toBe('failed');
  });

  it('tells the command to end when somebody else ends the task, without waiting for the next heartbeat', async () => {
    const { ended, said } = underTask(`${SAY} setInterval(() => 0, 1000);`, '--heartbeat', '600');
    await until(() => said().includes('eyJ'), 'the command runs');
    const { task } = factsOf(said());
    await broker.post(`/tasks/${task}/complete`, { outcome: 'cancelled' }, orchestrator);
    expect((await ended).code).toBe(143);
    expect(said()).toContain('has ended. The command is told to end.');
    expect(await stateOf(task)).toBe('cancelled');
  });

  it('replaces the credential by another before its end, as a whole', async () => {
    const watch = `${SAY} let last; setInterval(() => { const now = fs.readFileSync(MAYFLY_TOKEN_FILE, 'utf8');
      if (last && now !== last) { console.log('replaced ' + now); process.exit(0); } last = now; }, 20);`;
    const { ended } = underTask(watch, '--lifetime', '5');
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

/** An API that never asks. It answers with what it was sent as Authorization. */
async function startApi(): Promise<string> {
  const api = createServer((request, response) => response.end(`authorization ${request.headers.authorization}`));
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
  apis.push(api);
  return `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
}
const apis: Server[] = [];
afterAll(() => {
  for (const api of apis) {
    api.close();
    api.closeAllConnections();
  }
});

describe('mayfly exec without a file', () => {
  /** Says what it got there, and its environment, as far as that is about this, or holds a token. */
  const GET = (name: string) => `fetch(process.env.${name}).then(async (answer) => {
    const env = Object.entries(process.env).filter((entry) => /MAYFLY|TICKETS|NO_PROXY|eyJ/.test(entry.join()));
    console.log(JSON.stringify([process.env.MAYFLY_TASK, await answer.text(), Object.fromEntries(env)])); });`;
  const said = (text: string) =>
    JSON.parse(text.split('\n')[0] ?? '') as [task: string, answer: string, env: NodeJS.ProcessEnv];

  it('gives the credential at an address, for as long as the command runs', async () => {
    const { code, said: text } = await underTask(GET('MAYFLY_TOKEN_URL'), '--endpoint').ended;
    const [task, answer, env] = said(text);
    const credential = JSON.parse(answer) as { access_token: string; expires_in: number };
    expect(code).toBe(0);
    expect(credential).toEqual({
      access_token: expect.stringMatching(/^eyJ/),
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      scope: 'incident/4711:read',
    });
    expect(JSON.stringify(env)).not.toMatch(/eyJ|MAYFLY_TOKEN_FILE/);
    expect(await stateOf(task)).toBe('completed');
    await expect(fetch(env['MAYFLY_TOKEN_URL'] ?? '')).rejects.toThrow('fetch failed');
  });

  it('keeps the credential from the command, and adds it to what the command sends', async () => {
    const api = await startApi();
    const options = ['--proxy', api, '--env', 'TICKETS_URL', '--allow', '/'];
    const { code, said: text } = await underTask(GET('TICKETS_URL'), ...options).ended;
    const [, answer, env] = said(text);
    expect(code).toBe(0);
    expect(answer).toMatch(/^authorization Bearer eyJ/);
    expect(JSON.stringify(env)).not.toContain('eyJ');
    const { MAYFLY_PROXY_URL, TICKETS_URL, NO_PROXY } = env;
    expect(TICKETS_URL).toBe(MAYFLY_PROXY_URL);
    expect(NO_PROXY).toMatch(/(^|,)127\.0\.0\.1$/);
  });

  it('ends access at once when the wrapper is killed, and the task by its heartbeat', async () => {
    const api = await startApi();
    const program = `${GET('MAYFLY_PROXY_URL')} setInterval(() => fetch(process.env.MAYFLY_PROXY_URL).catch(({ cause }) => {
      if (cause.code === 'ECONNREFUSED') { console.log('nobody is there'); process.exit(); } }), 100);`;
    const { child, ended, said: text } = underTask(program, '--proxy', api, '--heartbeat', '30');
    await until(() => text().includes('Bearer eyJ'), 'the command runs');
    child.kill('SIGKILL');
    // The command is not killed, and ends when it finds nobody.
    expect((await ended).said).toContain('nobody is there');
    const [task] = said(text());
    expect(await stateOf(task)).toBe('open');
    await broker.advance(91_000);
    await broker.work('sweep');
    expect(await stateOf(task)).toBe('expired');
  });

  it.each([
    ['no target', [], 'Give --target <resource>.'],
    ['paths for no proxy', ['--target', TICKETS, '--allow', '/a'], '--allow and --env are for --proxy.'],
    ['two ways', ['--endpoint', '--proxy', 'https://a.example'], "'--endpoint' cannot be used with option '--proxy"],
    ['clear text', ['--proxy', 'http://a.example'], 'It is the https address of an API'],
    ['a password', ['--proxy', 'https://u:p@a.example'], 'It is the https address of an API'],
    ['no path', ['--proxy', 'https://a.example', '--allow', 'incident'], 'It is a path such as /v1/messages.'],
  ])('refuses %s before there is a task', async (_what, options, why) => {
    const command = ['exec', '--purpose', 'summarise', ...options, '--', 'true'];
    const { code, said: text } = await start(command).ended;
    expect([code, text]).toEqual([1, expect.stringContaining(why)]);
  });
});

describe('mayfly proxy', () => {
  const addressIn = (text: string) => /^(http:\/\/127\.0\.0\.1:\d+\/[\w-]{43})$/m.exec(text)?.[1];

  it('prints its address, and completes its task when it is told to end', async () => {
    const { child, ended, said } = start(['proxy', await startApi(), '--purpose', 'summarise', ...WISH]);
    await until(() => addressIn(said()) !== undefined, 'no address');
    const authorization = await (await fetch(addressIn(said()) ?? '')).text();
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: 0, said: `${addressIn(said())}\n` });
    const { task } = JSON.parse(Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString()) as {
      task: { id: string };
    };
    expect(await stateOf(task.id)).toBe('completed');
  });

  it('writes its address to a file for its user alone, and ends when somebody ends the task', async () => {
    const opened = await broker.post('/tasks', { purpose: 'summarise' }, readFileSync(tokenFile, 'utf8'));
    const { id } = opened.body as { id: string };
    const file = join(directory, 'url');
    writeFileSync(file, 'of before', { mode: 0o644 });
    const options = ['--task', id, '--url-file', file, ...WISH];
    const { ended } = start(['proxy', await startApi(), ...options]);
    await until(() => addressIn(readFileSync(file, 'utf8')) !== undefined, 'no address');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const url = readFileSync(file, 'utf8').trim();
    expect((await fetch(url)).status).toBe(200);
    await broker.post(`/tasks/${id}/complete`, { outcome: 'cancelled' }, orchestrator);
    await until(async () => (await fetch(url).catch(() => undefined))?.status !== 200, 'access goes on');
    expect(await ended).toEqual({ code: 1, said: `The task ${id} has ended.\n` });
    expect(existsSync(file)).toBe(false);
  });

  it('is for the target of the same name unless another is given, and starts nothing without a credential', async () => {
    const { code, said } = await start([
      'proxy',
      'https://a.example/v1/',
      '--purpose',
      'summarise',
      '--access',
      'a:read',
    ]).ended;
    expect([code, said]).toEqual([1, 'The resource is not a target of this broker.\n']);
    expect((await start(['proxy', 'https://a.example']).ended).said).toBe('Give --purpose <text> or --task <id>.\n');
  });
});

describe('mayfly headers', () => {
  it('prints an object of headers and nothing else, under the task of the environment', async () => {
    const opened = await broker.post('/tasks', { purpose: 'summarise' }, readFileSync(tokenFile, 'utf8'));
    const { id } = opened.body as { id: string };
    const { code, said } = await start(['headers', ...WISH], { MAYFLY_TASK: id }).ended;
    const { Authorization } = JSON.parse(said) as { Authorization: string };
    expect([code, await isActive(Authorization.slice('Bearer '.length))]).toEqual([0, true]);
    await broker.post(`/tasks/${id}/complete`, { outcome: 'completed' }, orchestrator);
    const after = await start(['headers', ...WISH], { MAYFLY_TASK: id }).ended;
    expect(after).toEqual({ code: 1, said: `The task ${id} has ended.\n` });
  });

  it('works under the one task that the workload shares where none is named, and opens no other', async () => {
    const both = [1, 2].map(() => start(['headers', '--target', WIKI], { MAYFLY_TASK: '' }).ended);
    const tasks = (await Promise.all(both)).map(({ said }) => {
      const { Authorization } = JSON.parse(said) as { Authorization: string };
      return (decodeJwt(Authorization.slice('Bearer '.length)) as { task: { id: string } }).task.id;
    });
    expect(tasks[0]).toMatch(/^tsk_/);
    expect(tasks[1]).toBe(tasks[0]);
  });

  it('says why there are none', async () => {
    const { code, said } = await start(['headers', '--target', WIKI, '--access', 'page/1:write']).ended;
    expect([code, said]).toEqual([1, expect.stringContaining('page/1')]);
  });

  describe('where people must agree first', () => {
    const WAITS = ['headers', '--target', TICKETS, '--access'];

    async function openedTask(): Promise<string> {
      const { body } = await broker.post('/tasks', { purpose: 'handover' }, readFileSync(tokenFile, 'utf8'));
      return (body as { id: string }).id;
    }

    async function answer(id: string, said: object): Promise<void> {
      const dana = await broker.person('dana', { groups: ['sre-oncall'] });
      expect(await answerOverHttp(broker, id, dana, said)).toMatchObject({ status: 200 });
    }

    /** The one question that is open under the task. */
    async function questionUnder(task: string): Promise<string | undefined> {
      const { body } = await broker.get('/approvals', readFileSync(tokenFile, 'utf8'));
      return (body as { approvals: { id: string; task: string }[] }).approvals.find((one) => one.task === task)?.id;
    }

    it('says so at once, with the question, which stays the same one; and prints the headers once they have', async () => {
      const env = { MAYFLY_TASK: await openedTask() };
      const refused = [await start([...WAITS, 'incident/1:export'], env).ended];
      refused.push(await start([...WAITS, 'incident/1:export', '--wait', '1'], env).ended);
      const id = (await questionUnder(env.MAYFLY_TASK)) ?? '';
      const said = `People must agree to this first, and they are asked (${id}). Run it again once they have.\n`;
      expect(refused).toEqual([
        { code: 1, said },
        { code: 1, said },
      ]);
      await answer(id, { decision: 'approve' });
      const granted = await start([...WAITS, 'incident/1:export'], env).ended;
      expect(granted).toEqual({ code: 0, said: expect.stringMatching(/^\{"Authorization":"Bearer [^"]+"\}\n$/) });
    });

    it.each([
      [{ decision: 'approve' }, 0, /^\{"Authorization":"Bearer [^"]+"\}\n$/],
      [{ decision: 'deny', reason: 'not now' }, 1, /^People have not agreed \(apr_\w+\): denied\.\n$/],
    ])('waits for them with --wait: %j', async (said, code, printed) => {
      const task = await openedTask();
      const waiting = start([...WAITS, 'incident/2:export', '--wait', '600'], { MAYFLY_TASK: task });
      let id: string | undefined;
      await until(async () => (id = await questionUnder(task)) !== undefined, 'nobody is asked');
      await answer(id ?? '', said);
      expect(await waiting.ended).toEqual({ code, said: expect.stringMatching(printed) });
    });
  });
});

describe('mayfly exec --aws', () => {
  const CALL = `import { STSClient, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
    const { Arn } = await new STSClient({ endpoint: process.env.AWS_URL }).send(new GetCallerIdentityCommand());
    console.log(Arn);`;

  let aws: AwsBroker;
  beforeAll(async () => {
    const policies = `@id("asks") @approval("sre-oncall")
      forbid (principal == Workload::"lab:asker", action in Action::"access", resource)
      unless { context.approvals.contains("sre-oncall") };`;
    aws = await startAwsBroker({ clock: handClock(Date.now()), policies });
  });

  async function startAt(sub: string) {
    const file = join(directory, `${sub}.identity`);
    writeFileSync(file, await aws.identity(sub));
    const argv = ['exec', '--broker', aws.url, '--token-file', file, '--purpose', 'summarise', '--target', ROLE];
    const access = ['--access', details(`${BUCKET}/tenant-42/*`)];
    const command = [process.execPath, '--input-type=module', '-e', CALL];
    const env = {
      ...process.env,
      AWS_URL: aws.aws.url,
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'of-somebody-else',
      AWS_PROFILE: 'admin',
    };
    const main = resolve('dist/src/cli/main.js');
    const child = spawn(process.execPath, [main, ...argv, '--aws', ...access, '--', ...command], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { out: '', err: '' };
    child.stdout.on('data', (part: Buffer) => (said.out += part.toString()));
    child.stderr.on('data', (part: Buffer) => (said.err += part.toString()));
    return { said, ended: once(child, 'close').then(([code]) => code as number | null) };
  }
  const arnOf = () => `arn:aws:sts::111122223333:assumed-role/agent-0/${sessionsOf().at(-1)?.roleSessionName}\n`;
  const sessionsOf = () => aws.aws.sessions().filter(({ role }) => role === ROLE);

  it('has an SDK of AWS work with a session of the task, whatever else it could find', async () => {
    const { said, ended } = await startAt('agent-7');
    expect(await ended).toBe(0);
    expect([said.out, sessionsOf().length]).toEqual([arnOf(), 1]);
  });

  it('waits where people must agree to the session first, and says for which question', async () => {
    const { said, ended } = await startAt('asker');
    const asked = () => /People must agree to this first, and are asked \((apr_\w+)\)/.exec(said.err)?.[1];
    await until(() => asked() !== undefined, 'nobody is asked');
    const dana = await aws.person('dana', { groups: ['sre-oncall'] });
    expect(await answerOverHttp(aws, asked() ?? '', dana)).toMatchObject({ status: 200 });
    expect([await ended, said.out]).toEqual([0, arnOf()]);
  });
});
