/**
 * What `mayfly proxy` adds to a call, how soon it cuts access when the task ends, and what `mayfly exec` adds to a command. The API is
 * a process of its own, and never asks whether a credential is alive.
 */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { mayfly, type Mayfly } from '../../../src/client/index.js';
import { AUDIENCE, LAB, TARGET, type Broker } from '../broker.js';
import { startChild, type Child } from '../child.js';
import { freePort } from '../../free-port.js';
import type { Signer } from '../issuer.js';
import { median } from '../numbers.js';
import { fromRoot } from '../root.js';

/** Milliseconds. */
export interface WithoutCode {
  /** The median call of each round. */
  direct: number[];
  proxied: number[];
  /** From the answer of the broker that the task has ended to the cut of a stream. */
  untilCut: number[];
  /** Each run of a command. */
  bare: number[];
  underExec: number[];
}

export interface WithoutCodeWish {
  rounds: number;
  calls: number;
  ends: number;
  commands: number;
}

interface Place {
  directory: string;
  /** Of the API. */
  api: string;
  client: Mayfly;
  /** Options of every command. */
  asAgent: string[];
}

const MAIN = fromRoot('dist/src/cli/main.js');
/** `/stream` goes on until somebody cuts it. */
const API = `require('node:http').createServer((request, response) => {
  if (request.url.endsWith('/stream')) response.write('data: 1\\n\\n');
  else response.end('{}');
}).listen(Number(process.argv[1]), '127.0.0.1')`;

export async function measureWithoutCode(
  directory: string,
  broker: Broker,
  lab: Signer,
  wish: WithoutCodeWish,
): Promise<WithoutCode> {
  const [token = ''] = await lab.tokens(1, () => ({ iss: LAB, sub: 'agent-1', aud: AUDIENCE, team: 'sre' }));
  const tokenFile = join(directory, 'identity');
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const port = await freePort();
  const api = `http://127.0.0.1:${port}`;
  const isReady = async () => (await fetch(api)).ok;
  const apiProcess = await startChild(process.execPath, ['-e', API, String(port)], { isReady });
  const place: Place = {
    directory,
    api,
    client: mayfly({ url: broker.url, identity: () => token }),
    asAgent: ['--broker', broker.url, '--token-file', tokenFile, '--target', TARGET, '--access', 'incident/4711:read'],
  };
  const measured = {
    ...(await measureCalls(place, wish)),
    ...(await measureEnds(place, wish)),
    ...measureExec(place, wish),
  };
  await apiProcess.end();
  return measured;
}

async function startProxy(
  { directory, api, asAgent }: Place,
  task: string | undefined,
): Promise<Child & { url: string }> {
  const file = join(directory, `url-${task}`);
  const argv = [MAIN, 'proxy', api, ...asAgent, '--task', task ?? '', '--url-file', file];
  const address = () => readFileSync(file, 'utf8').trim();
  const child = await startChild(process.execPath, argv, { isReady: async () => Promise.resolve(address() !== '') });
  return { ...child, url: address() };
}

async function measureCalls(place: Place, { rounds, calls }: WithoutCodeWish) {
  const task = await place.client.task({ purpose: 'answer' });
  const proxy = await startProxy(place, task.id);
  const [direct, proxied]: [number[], number[]] = [[], []];
  for (let round = 0; round <= rounds; round += 1) {
    direct.push(await medianCall(place.api, calls));
    proxied.push(await medianCall(proxy.url, calls));
  }
  await proxy.end();
  await task.complete();
  // The first round warmed up the code.
  return { direct: direct.slice(1), proxied: proxied.slice(1) };
}

async function medianCall(url: string, calls: number): Promise<number> {
  const agent = new Agent({ keepAlive: true });
  const took: number[] = [];
  for (let call = 0; call < calls; call += 1) {
    const from = performance.now();
    const answer = await answerOf(`${url}/incident/4711`, agent);
    if (answer.statusCode !== 200) throw new Error(`a call was answered ${answer.statusCode}`);
    await once(answer.resume(), 'end');
    took.push(performance.now() - from);
  }
  agent.destroy();
  return median(took);
}

async function measureEnds(place: Place, { ends }: WithoutCodeWish) {
  const untilCut: number[] = [];
  for (let each = 0; each < ends; each += 1) {
    const task = await place.client.task({ purpose: 'answer' });
    const proxy = await startProxy(place, task.id);
    const stream = await answerOf(`${proxy.url}/stream`);
    const cut = new Promise((resolve) => stream.on('error', resolve).on('close', resolve).resume());
    // Ends fall anywhere between two questions of the proxy.
    await pause((1_000 * each) / ends);
    await task.complete();
    const from = performance.now();
    await cut;
    untilCut.push(performance.now() - from);
    await proxy.end();
  }
  return { untilCut };
}

function measureExec({ asAgent }: Place, { commands }: WithoutCodeWish) {
  const argv = [MAIN, 'exec', ...asAgent, '--purpose', 'answer', '--', 'true'];
  const [bare, underExec]: [number[], number[]] = [[], []];
  for (let command = 0; command <= commands; command += 1) {
    bare.push(durationOf('true', []));
    underExec.push(durationOf(process.execPath, argv));
  }
  // The first read the files into memory.
  return { bare: bare.slice(1), underExec: underExec.slice(1) };
}

function durationOf(command: string, argv: readonly string[]): number {
  const from = performance.now();
  const { status } = spawnSync(command, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`${command} ended with ${status}`);
  return performance.now() - from;
}

async function answerOf(url: string, agent?: Agent): Promise<IncomingMessage> {
  const [answer] = (await once(get(url, { ...(agent && { agent }) }), 'response')) as [IncomingMessage];
  return answer;
}
