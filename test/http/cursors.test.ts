/** Every list of the API that has pages: where a page ended is told to nobody, because it may be at what the reader may not know of. */
import { beforeAll, expect, it } from '@jest/globals';
import { z } from 'zod';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { evaluated, push } from '../support/brokers/signals.js';
import { handClock } from '../support/clock.js';
import { PUBLIC } from '../support/contracts.js';
import { expectProblem } from '../support/expect-refusal.js';
import { createTransmitter, workload } from '../support/issuers/transmitter.js';

/** Who may read one row of these may read all, and the number of a row says nothing more. */
const NUMBERED = ['GET /revocations', 'POST /revocations/lift', 'GET /holds', 'GET /audit', 'GET /timeline'];

const REACTIONS = [{ name: 'stop', event: 'session-revoked', do: 'hold', covers: 'workload' }];

let broker: TestBroker;
let root: string;

/** Three of everything, and what the names and times of them are. */
beforeAll(async () => {
  const clock = handClock();
  const idp = await createTransmitter('idp', clock, { perMinute: 100_000 });
  const signals = { transmitters: [idp.config], reactions: REACTIONS, maxPartiesPerMinute: 0 };
  broker = await startBroker({ clock, config: { signals } });
  const orchestrator = await broker.identity('orchestrator');
  const opened = async (body: object) => ((await broker.post('/tasks', body, orchestrator)).body as { id: string }).id;
  root = await opened({ workload: 'lab:a-0', purpose: 'x' });
  for (const sub of ['a-1', 'a-2', 'a-3']) {
    await opened({ workload: `lab:${sub}`, purpose: 'x', parent: root });
    await broker.exchange(await broker.identity(sub), { scope: 'incident/1:export' });
    await push(broker, await idp.set(workload(sub)));
  }
  await evaluated(broker, 3);
});

const ann = () => broker.person('ann', { groups: ['sre-oncall'] });
const soc = () => broker.identity('soc');

/** Each list with pages, as somebody reads it: `limit` rows, after a place. */
const LISTS: Record<string, { path: () => string; by: () => Promise<string>; rows: string }> = {
  'GET /tasks': { path: () => '/tasks', by: soc, rows: 'tasks' },
  'GET /tasks/:id/tree': { path: () => `/tasks/${root}/tree`, by: soc, rows: 'tasks' },
  'GET /workloads': { path: () => '/workloads', by: soc, rows: 'workloads' },
  'GET /approvals': { path: () => '/approvals', by: ann, rows: 'approvals' },
  'GET /signals': { path: () => '/signals', by: soc, rows: 'signals' },
  'GET /signals/pending': { path: () => '/signals/pending', by: soc, rows: 'signals' },
};

/** By its own cursor: no page of it is shorter than 500. */
const BY_THE_SAME = { 'POST /signals/dismiss': 'GET /signals' };

const paged = PUBLIC.filter(({ handle }) =>
  Object.values(handle.contract.answers[200] ?? {}).some((one) => one instanceof z.ZodObject && 'next' in one.shape),
).map(({ method, path }) => `${method} ${path}`);

it('all of them are known here', () => {
  expect(paged.toSorted()).toEqual([...Object.keys(LISTS), ...Object.keys(BY_THE_SAME), ...NUMBERED].toSorted());
});

async function page(name: string, after?: string) {
  const { path, by, rows } = LISTS[name]!;
  const more = after === undefined ? '' : `&after=${after}`;
  const reply = await broker.get(`${path()}?limit=1${more}`, await by());
  const body = reply.body as Record<string, { id?: string; workload?: string }[]> & { next?: string };
  return { reply, next: body.next, found: (body[rows] ?? []).map(({ id, workload }) => id ?? workload) };
}

it.each(Object.keys(LISTS))(
  '%s leads to every row by cursors that say nothing, and are all of one length',
  async (name) => {
    const [found, cursors]: [unknown[], string[]] = [[], []];
    for (let after: string | undefined, pages = 0; pages < 200; pages += 1) {
      const one = await page(name, after);
      found.push(...one.found);
      if (one.next === undefined) break;
      after = one.next;
      cursors.push(after);
    }
    expect(found.length).toBeGreaterThan(2);
    expect(new Set(found).size).toBe(found.length);
    expect(new Set(cursors.map(({ length }) => length)).size).toBe(1);
    const said = cursors.map((one) => `${one} ${Buffer.from(one, 'base64url').toString('latin1')}`).join(' ');
    expect(said).not.toMatch(/(tsk|apr|sig)_|lab:|\d{9}/);
    expect((await page(name)).next).not.toBe((await page(name)).next);
  },
);

it.each(Object.keys(LISTS))('%s takes no cursor that somebody made, or that is of another list', async (name) => {
  const { next = '' } = await page(name);
  const elsewhere = Object.keys(LISTS).filter((other) => LISTS[other]!.rows !== LISTS[name]!.rows);
  const others = await Promise.all(elsewhere.map(async (other) => (await page(other)).next ?? ''));
  const changed = next.slice(0, -2) + (next.endsWith('AA') ? 'BA' : 'AA');
  for (const one of [...others, changed, `1.${root}`, next.slice(1), 'x'])
    expectProblem((await page(name, one)).reply, 400, 'invalid_request', 'after: must be the `next` of a page');
});
