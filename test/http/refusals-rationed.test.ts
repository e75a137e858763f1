/**
 * Nobody fills the store with refusals: whatever a caller is refused, and however often, the first lines of a minute are whole,
 * and one more has the count. What others show to an API is counted apart from what the API asks for.
 */
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AuditEntry } from '../../src/audit/event.js';
import { LINES_PER_CALLER, LINES_PER_ISSUER } from '../../src/audit/shares.js';
import { NEW_NAMES_PER_ISSUER } from '../../src/ledger/seen.js';
import { startBroker, type TestBroker } from '../support/brokers/http.js';
import { startRedis } from '../support/redis.js';
import { requests } from '../support/refused-requests.js';

const MORE = 5;
const TIMES = LINES_PER_CALLER + MORE;

let broker: TestBroker;
let soc: string;
let foreign: string;
let held: string;
let before = 0;

/** The entries since the test began. */
async function entries(): Promise<AuditEntry[]> {
  const found: AuditEntry[] = [];
  for (let after: number | undefined = before; after !== undefined;) {
    const reply = await broker.get(`/audit?limit=1000&after=${after}`, soc);
    const { lines, next } = reply.body as { lines: string[]; next?: number };
    found.push(...lines.map((line) => JSON.parse(line) as AuditEntry));
    after = next;
  }
  return found;
}

const of = (actor: string, found: AuditEntry[]) => found.filter((entry) => entry.actor?.id === `lab:${actor}`);

const countedIn = (found: AuditEntry[]): number =>
  found.flatMap(({ counted }) => counted?.events ?? []).reduce((sum, { count }) => sum + count, 0);

/** Ends the minute twice: the lines with counts are part of the next minute. */
async function newMinute(): Promise<void> {
  await broker.work('refusals');
  await broker.work('refusals');
  before = Math.max(before, ...(await entries()).map(({ seq }) => seq));
}

beforeAll(async () => {
  broker = await startBroker({ config: { limits: { perWorkloadPerMinute: 100_000, perIssuerPerMinute: 100_000 } } });
  soc = await broker.identity('soc');
  const orchestrator = await broker.identity('orchestrator');
  const opened = await broker.post('/tasks', { workload: 'lab:agent-7', purpose: 'x' }, orchestrator);
  foreign = (opened.body as { id: string }).id;
  held = await broker.identity('held', { team: 'held' });
  const hold = { selector: { kind: 'workload', value: 'lab:held' }, effect: 'hold', reason: 'x', unseen: true };
  expect((await broker.post('/revocations', hold, soc)).status).toBe(200);
});
beforeEach(newMinute);

type Ask = (token: string) => Promise<{ status: number }>;
const operations = requests.flatMap(([, name, send]): [string, Ask][] =>
  [false, true].map((bad) => [
    bad ? `${name}, with an unknown field` : name,
    (token) => send({ broker, token, task: foreign }, {}, bad),
  ]),
);
const others: [string, Ask][] = [
  ['exchange for a target that policy does not permit', (token) => broker.exchange(token)],
  ['exchange for an unknown target', (token) => broker.exchange(token, { resource: 'https://nowhere.example' })],
  ['introspect a text that is no token', (token) => broker.introspect('x', token)],
];
const everything = [...operations, ...others];

describe('a caller that is refused again and again', () => {
  it.each(everything)(
    'to %s: its first refusals are entered whole, and then one line has the count',
    async (name, ask) => {
      const who = name.replaceAll(/\W/g, '-');
      const token = await broker.identity(who, { team: 'none' });
      for (let i = 0; i < TIMES; i += 1) await ask(token);
      expect(of(who, await entries())).toHaveLength(LINES_PER_CALLER);

      await broker.work('refusals');
      const [line, ...more] = of(who, await entries()).slice(LINES_PER_CALLER);
      expect(more).toEqual([]);
      expect(line).toMatchObject({ type: 'audit.counted', actor: { id: `lab:${who}`, issuer: 'lab' } });
      expect(countedIn([line!])).toBe(MORE);
    },
  );

  it.each(everything)('to %s, and is held: costs one line a minute', async (_, ask) => {
    for (let minute = 0; minute < 2; minute += 1) {
      const already = of('held', await entries()).length;
      for (let i = 0; i < TIMES; i += 1) await ask(held);
      await broker.work('refusals');
      expect(of('held', await entries()).length - already).toBeLessThanOrEqual(minute === 0 ? 2 : 1);
    }
  });
});

it('a name for each request is no share for each request: the issuer has one', async () => {
  const many = LINES_PER_ISSUER + 20;
  for (let i = 0; i < many; i += 1) {
    const token = await broker.identity(`repo:org/app:ref:refs/heads/branch-${i}`, { team: 'none' });
    expect((await broker.post(`/tasks/${foreign}/suspend`, {}, token)).status).toBe(404);
  }
  const whole = await entries();
  expect(whole.filter(({ type }) => type === 'operation.refused')).toHaveLength(LINES_PER_ISSUER);
  await broker.work('refusals');
  const counted = (await entries()).filter(({ type }) => type === 'audit.counted');
  expect(counted).toEqual([
    expect.objectContaining({
      counted: expect.objectContaining({
        issuer: 'lab',
        events: [{ type: 'operation.refused', verb: 'suspendTask', error: 'not_found', count: 20 }],
      }) as object,
    }),
  ]);
});

describe('the store', () => {
  it('does not grow with the names that an issuer proves, whatever is refused to them', async () => {
    const redis = await startRedis();
    // How many findings there may be is tested where findings are raised.
    const never = { threshold: 1_000_000 };
    const config = { signals: { detectors: { denialBurst: never, endedIdentity: never } } };
    const small = await startBroker({ redisUrl: redis.url, config });
    const hold = { selector: { kind: 'owner', value: 'held' }, effect: 'hold', reason: 'x', unseen: true };
    expect((await small.post('/revocations', hold, await small.identity('soc'))).status).toBe(200);
    let names = 0;

    /** The new name is refused two things. Every other one is held, and refused as such. */
    async function refuseOne(name: number): Promise<void> {
      const [, , send] = requests[name % requests.length]!;
      const team = name % 2 === 0 ? 'none' : 'held';
      const token = await small.identity(`repo:org/app:ref:refs/heads/branch-${name}`, { team });
      const asked = await send({ broker: small, token, task: foreign }, {}, name % 3 === 0);
      const exchanged = await small.exchange(token, { purpose: `x${name}` });
      expect([asked.status, exchanged.status].filter((status) => status < 400)).toEqual([]);
    }

    async function refuse(newNames: number): Promise<void> {
      for (const end = names + newNames; names < end; names += 20) {
        await Promise.all(Array.from({ length: 20 }, (_, i) => refuseOne(names + i)));
        await small.work('detectors');
      }
    }

    // From then on the shares of the issuer are used up.
    await refuse(NEW_NAMES_PER_ISSUER);
    const keys = Number(await redis.send('DBSIZE'));
    await refuse(60);
    expect(Number(await redis.send('DBSIZE')) - keys).toBe(0);
  });
});

describe('what others show to an API', () => {
  it('uses up neither its rate nor its own lines, and a dead token shown then still leaves its line', async () => {
    const limits = { perWorkloadPerMinute: 30 };
    const small = await startBroker({ config: { limits } });
    const api = await small.identity('tickets-api');
    const agent = await small.identity('agent-7');
    const issued = (await small.exchange(agent)).body as { access_token: string; task_id: string };
    await small.post(`/tasks/${issued.task_id}/complete`, { outcome: 'completed' }, agent);
    for (let i = 0; i < 100; i += 1) expect((await small.introspect(`junk-${i}`, api)).body).toEqual({ active: false });

    expect((await small.introspect(issued.access_token, api)).body).toEqual({ active: false });
    expect((await small.get(`/tasks/${issued.task_id}`, api)).status).not.toBe(429);
    await small.work('refusals');
    const reader = await small.identity('soc');
    const { lines } = (await small.get(`/audit?task=${issued.task_id}&type=introspection.inactive`, reader)).body as {
      lines: string[];
    };
    expect(lines).toHaveLength(1);
  });
});
