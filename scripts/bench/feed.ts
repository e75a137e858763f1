/**
 * The revocation feed: how long after an acknowledged revocation each of fifty verifiers has it, and how many publications a
 * second one broker hands on to them without a hole.
 */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { forgettableAt } from '../../src/domain/liveness.js';
import { newId } from '../../src/domain/id.js';
import { causeOf } from '../../src/domain/selector.js';
import { AUDIENCE, LAB, startBroker } from './broker.js';
import { many, type Signer } from './issuer.js';
import { post } from './load.js';
import { quantile } from './numbers.js';
import type { RedisServer } from './redis.js';
import { openLedger } from './seed.js';
import { targetTable } from './table.js';

const VERIFIERS = 50;

interface Verifier {
  /** The number of the latest entry. */
  seq: number;
  /** When each entry came, by its number. */
  heardAt: Map<number, number>;
  leave(): void;
}

export async function measureFeed(
  directory: string,
  redis: RedisServer,
  lab: Signer,
  { revocations, publications }: { revocations: number; publications: number },
): Promise<string> {
  const broker = await startBroker({ directory, store: redis.url, lab, more: { redis: { prefix: 'feed:' } } });
  const [soc = '', api = ''] = await lab.tokens(2, (i) => ({
    ...{ iss: LAB, aud: AUDIENCE, team: 'sre' },
    sub: i === 0 ? 'soc' : 'tickets-api',
  }));
  const verifiers = await Promise.all(Array.from({ length: VERIFIERS }, () => follow(broker.url, api)));
  const waits: number[] = [];
  for (let i = -20; i < revocations; i += 1) {
    const { seq, at } = await revoke(broker.url, soc, `lab:nobody-${i}`);
    await until(() => verifiers.every((verifier) => verifier.heardAt.has(seq)));
    // What comes before the publisher itself has its answer takes no time. The first warm up.
    if (i >= 0) waits.push(...verifiers.map(({ heardAt }) => Math.max(0, (heardAt.get(seq) ?? NaN) - at)));
  }
  const { perSecond } = await publishMany(redis, verifiers, publications);
  for (const verifier of verifiers) verifier.leave();
  await broker.end();
  const sorted = waits.toSorted((a, b) => a - b);
  const [half, most] = [quantile(sorted, 0.5), quantile(sorted, 0.99)];
  return targetTable([
    [`time to deny, ${VERIFIERS} verifiers on Redis, p50`, '≤ 10 ms', half, half <= 10, ' ms'],
    ['the same, p99', '≤ 50 ms', most, most <= 50, ' ms'],
    [`publications a second to ${VERIFIERS} verifiers, no hole`, '≥ 5000', perSecond, perSecond >= 5_000, ''],
  ]);
}

/** Follows the feed, and fails on a hole. */
async function follow(url: string, bearer: string): Promise<Verifier> {
  const asked = get(`${url}/revocations/feed`, { headers: { authorization: `Bearer ${bearer}` }, agent: false });
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`the feed was answered ${response.statusCode}`);
  const verifier: Verifier = { seq: 0, heardAt: new Map(), leave: () => void asked.destroy() };
  asked.on('error', () => undefined);
  let rest = '';
  let isLive = false;
  response.setEncoding('utf8').on('data', (text: string) => {
    const events = (rest + text).split('\n\n');
    rest = events.pop() ?? '';
    for (const event of events) {
      isLive ||= event.startsWith('event: heartbeat');
      const seq = Number(/^id: .*\.(\d+)\n/.exec(event)?.[1] ?? NaN);
      if (Number.isNaN(seq)) continue;
      if (event.includes('event: revocation') && seq !== verifier.seq + 1) throw new Error(`a hole before ${seq}`);
      verifier.seq = seq;
      verifier.heardAt.set(seq, performance.now());
    }
  });
  response.on('error', () => undefined);
  await until(() => isLive);
  return verifier;
}

async function revoke(url: string, bearer: string, value: string): Promise<{ seq: number; at: number }> {
  const body = JSON.stringify({ selector: { kind: 'workload', value }, reason: 'benchmark', unseen: true });
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  const { status, text } = await post(`${url}/revocations`, { headers, body });
  if (status !== 200) throw new Error(`the revocation was answered ${status}: ${text}`);
  return { seq: (JSON.parse(text) as { seq: number }).seq, at: performance.now() };
}

/** Publishes as the end of a task does: without a receipt. The time is until the last verifier has the last one. */
async function publishMany(redis: RedisServer, verifiers: readonly Verifier[], count: number) {
  const { ledger, close } = await openLedger({ kind: 'redis', cluster: false, urls: [redis.url] }, 'feed:');
  const last = (verifiers[0]?.seq ?? 0) + count;
  const from = performance.now();
  await many(count, async () => {
    const selector = { kind: 'task' as const, value: newId('tsk') };
    const at = ledger.clock.now();
    await ledger.log.publish({
      ...{ id: selector.value, cause: causeOf(selector), selector, effect: 'end', outcome: 'completed', at },
      ...{ until: forgettableAt('task', at), reason: 'benchmark', actor: 'bench' },
    });
  });
  await until(() => verifiers.every(({ seq }) => seq === last));
  const seconds = (performance.now() - from) / 1000;
  await close();
  return { perSecond: count / seconds };
}

async function until(condition: () => boolean): Promise<void> {
  const patience = AbortSignal.timeout(60_000);
  while (!condition()) {
    if (patience.aborted) throw new Error('the verifiers do not hear it');
    await pause(1);
  }
}
