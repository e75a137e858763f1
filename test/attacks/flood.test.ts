/**
 * Strangers and workloads without any right send the largest and worst requests that they can, as fast as they can. Meanwhile
 * everything that ends, holds or asks about credentials is answered, and rightly. A real broker, over real HTTP.
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { startProcess, TICKETS, type BrokerProcess } from '../support/brokers/process.js';
import { exchangeForm } from '../support/calls.js';

const AT_ONCE = 16;
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

let broker: BrokerProcess;
let flood: { statuses: Map<number, number>; end(): Promise<void> };

beforeAll(async () => {
  broker = await startProcess();
  flood = startFlood(await dearest());
});
afterAll(() => flood.end());

it.each([1, 2, 3])('during a flood, round %i: what is ended is dead, what is held mints nothing', async (round) => {
  const [orchestrator, soc, api] = await Promise.all(
    ['orchestrator', 'soc', 'tickets-api'].map((sub) => broker.identity(sub)),
  );
  const sub = `agent-${round}`;
  const agent = await broker.identity(sub);
  const isActive = async (token: string) => ((await broker.introspect(token, api!)).body as { active: boolean }).active;
  const minted = async () => (await broker.exchange(agent)).body as { access_token: string; task_id: string };

  const [ended, returned, held] = [await minted(), await minted(), await minted()];
  expect(await Promise.all([ended, returned, held].map((one) => isActive(one.access_token)))).toEqual([
    true,
    true,
    true,
  ]);

  const selector = { kind: 'task', value: ended.task_id };
  expect((await broker.post('/revocations', { selector, reason: 'drill' }, soc)).status).toBe(200);
  expect(await isActive(ended.access_token)).toBe(false);

  const opened = await broker.post('/tasks', { workload: `lab:${sub}`, purpose: 'x' }, orchestrator);
  const { id } = opened.body as { id: string };
  expect((await broker.post(`/tasks/${id}/complete`, { outcome: 'completed' }, orchestrator)).status).toBe(200);

  expect((await broker.form('/revoke', { token: returned.access_token }, bearer(agent))).status).toBe(200);
  expect(await isActive(returned.access_token)).toBe(false);

  const hold = { selector: { kind: 'workload', value: `lab:${sub}` }, reason: 'drill' };
  expect((await broker.post('/revocations', hold, soc)).status).toBe(200);
  expect(await isActive(held.access_token)).toBe(false);
  expect((await broker.exchange(agent)).body).toMatchObject({ error: 'access_denied', retry: 'after-lift' });
});

it('the flood was refused, and made nothing fail', async () => {
  await flood.end();
  expect([...flood.statuses.keys()].toSorted()).toEqual([400, 401, 403]);
  expect(broker.output()).not.toMatch(/"level":"(error|fatal)"/);
  expect(await broker.isReady()).toBe(true);
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** The dearest requests that a stranger, and a workload that policy lets do little, can send. */
async function dearest(): Promise<[path: string, init: RequestInit][]> {
  const [nobody, agent] = await Promise.all([broker.identity('nobody', { team: 'none' }), broker.identity('agent-9')]);
  const json = { 'content-type': 'application/json' };
  const exchange = (token: string, more: string): [string, RequestInit] => {
    const parameters = Object.entries(exchangeForm(token)).filter(([name]) => name !== 'scope');
    const body = `${new URLSearchParams(parameters).toString()}&${more}`;
    return ['/token', { method: 'POST', headers: FORM, body }];
  };
  const list = (unit: string, count: number) => `[${Array<string>(count).fill(unit).join(',')}]`;
  const detail = `{"type":"task_access","locations":["${TICKETS}"],"identifier":"a","actions":${list('1', 25_000)}}`;
  const keyIds = (count: number) =>
    Array.from({ length: count }, (_, n) => `ASIA${String(n).padStart(12, 'X')}`).join(' ');
  const access = list('{}', 10_000);
  return [
    ...['a.b.c', nobody, agent].flatMap((token) => [
      exchange(token, `authorization_details=${list('{}', 20_000)}`),
      exchange(token, `authorization_details=${list('1', 30_000)}`),
      exchange(token, `authorization_details=[${detail}]`),
      exchange(token, `scope=${Array<string>(15_000).fill('a:b').join('+')}`),
    ]),
    ...['x', nobody, agent].flatMap((token): [string, RequestInit][] => [
      ['/tasks', { method: 'POST', headers: { ...json, ...bearer(token) }, body: `{"access":${access}}` }],
      ['/revoke', { method: 'POST', headers: { ...FORM, ...bearer(token) }, body: `token=${keyIds(2_500)}` }],
      [
        '/revocations',
        {
          method: 'POST',
          headers: { ...json, ...bearer(token) },
          body: JSON.stringify({ leaked: keyIds(900), reason: 'x' }),
        },
      ],
      [
        '/signals/json',
        {
          method: 'POST',
          headers: { ...json, ...bearer(token) },
          body: `{"id":"1","event":"session-revoked","subject":${'{"format":'.repeat(1_000)}1${'}'.repeat(1_000)}}`,
        },
      ],
      [`/audit?${'a&'.repeat(5_000)}`, { headers: bearer(token) }],
    ]),
  ];
}

/** Keeps so many requests in flight until it is ended. */
function startFlood(requests: readonly [path: string, init: RequestInit][]) {
  const statuses = new Map<number, number>();
  let over = false;
  const send = async (first: number) => {
    for (let next = first; !over; next += 1) {
      const [path, init] = requests[next % requests.length]!;
      const { status } = await broker.send(path, init);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const sending = Promise.all(Array.from({ length: AT_ONCE }, (_, first) => send(first)));
  return {
    statuses,
    async end() {
      over = true;
      await sending;
    },
  };
}
