/** One task ends, and every place at which its credential is used knows: how soon, by each way of knowing. */
import { get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import { startProxy } from '../../../src/cli/loopback/proxy.js';
import { mayfly, type Task } from '../../../src/client/index.js';
import { completedSchema, DEAD } from '../answers.js';
import { good } from '../http.js';
import { openTrustingApi, openVerifyingApi } from '../log-api.js';
import { TICKETS } from '../places.js';
import type { Stage } from '../stage.js';
import type { Transcript } from '../transcript.js';
import { expectThat } from '../unexpected.js';

const ACCESS = 'incident/4711:read';
const PATIENCE_MS = 10_000;

export async function everywhereAct(stage: Stage, tell: Transcript): Promise<void> {
  tell.act('Dead at every place of use, in the middle of an answer');
  const [agent, api] = [await stage.identity('agent-8'), await stage.identity('tickets-api')];
  const task = await mayfly({ url: stage.broker.url, identity: () => agent }).task({ purpose: 'watch incident 4711' });
  const { token } = await task.credential(TICKETS, ACCESS);
  const [verifying, trusting] = [await openVerifyingApi(stage.broker.url, api), await openTrustingApi()];
  const proxy = await startProxy(task, { url: trusting.url, target: TICKETS, wish: { access: ACCESS } });
  try {
    const running: Running[] = [];
    await tell.step('agent-8 reads a log that goes on and on, at two APIs', async () => {
      running.push(
        { way: 'verifier by the feed: cut its answer', ...(await read(verifying.url, token)) },
        { way: 'mayfly proxy: cut the answer of its API', ...(await read(proxy.url)) },
      );
      for (const { lines } of running) await until(() => lines() > 3, 'lines of a log');
      return ['one has a verifier, which follows the feed', 'the other never asks, and stands behind mayfly proxy'];
    });
    await tell.step('the orchestrator completes the task: all of them know', () =>
      endAndMeasure(stage, task, { token, running, api }),
    );
  } finally {
    task.leave();
    await proxy.close();
    verifying.close();
    trusting.close();
  }
}

/** An answer that is being read. */
interface Running {
  /** How its end is known, for the transcript. */
  way: string;
  lines: () => number;
  /** Resolves with the moment at which it was cut. */
  cutAt: Promise<number>;
}

async function read(url: string, token?: string): Promise<Omit<Running, 'way'>> {
  const asked = get(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` }, agent: false });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  expectThat(answer.statusCode === 200, 'HTTP 200', answer.statusCode ?? 0);
  let lines = 0;
  answer.on('data', (text: Buffer) => (lines += text.toString().split('\n').length - 1));
  // Half an answer, whose connection breaks: nobody can take it for a whole one.
  const cutAt = new Promise<number>((resolve) => answer.on('error', () => resolve(performance.now())));
  return { lines: () => lines, cutAt };
}

async function endAndMeasure(
  stage: Stage,
  { id }: Pick<Task, 'id'>,
  { token, running, api }: { token: string; running: readonly Running[]; api: string },
): Promise<string[]> {
  const evaluation = {
    subject: { type: 'credential', id: token },
    action: { name: 'read' },
    resource: { type: TICKETS, id: 'incident/4711' },
  };
  const gateway = { 'x-original-method': 'GET', 'x-original-uri': '/incidents/4711' };
  const asks: [string, () => Promise<boolean>][] = [
    ['introspection', async () => (await stage.introspect(token)) === DEAD],
    [
      'evaluation (AuthZEN)',
      async () =>
        (await stage.ask('/access/v1/evaluation', { bearer: api, json: evaluation })).text.includes('"decision":false'),
    ],
    [
      'forward-auth, for gateways',
      async () => (await stage.ask('/forward-auth/tickets', { bearer: token, headers: gateway })).status === 401,
    ],
  ];
  for (const [way, saysNo] of asks) expectThat(!(await saysNo()), `a yes of ${way}`, 'a no before the end');
  const bearer = await stage.identity('orchestrator');
  const sentAt = performance.now();
  const waits = [
    ...asks.map(async ([way, saysNo]) => [way, await firstNo(saysNo)] as const),
    ...running.map(async ({ way, cutAt }) => [way, await within(cutAt)] as const),
  ];
  const reply = await stage.ask(`/tasks/${id}/complete`, { bearer, json: { outcome: 'completed' } });
  const { seq } = good(reply, completedSchema).revocation;
  const known = await Promise.all(waits);
  return [
    `entry ${seq} of the revocation log; from sending the call to the first no, by each way:`,
    ...known.map(([way, at]) => `${way.padEnd(42)}${(at - sentAt).toFixed(0).padStart(5)} ms`),
    'the first three are asked, again and again; the last two hear it while they work',
  ];
}

async function firstNo(saysNo: () => Promise<boolean>): Promise<number> {
  await until(saysNo, 'a no');
  return performance.now();
}

async function within(cutAt: Promise<number>): Promise<number> {
  let isCut = false;
  void cutAt.then(() => (isCut = true));
  await until(() => isCut, 'an answer that is cut');
  return cutAt;
}

async function until(holds: () => boolean | Promise<boolean>, expected: string): Promise<void> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  while (!(await holds())) {
    expectThat(!patience.aborted, expected, `nothing within ${PATIENCE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
