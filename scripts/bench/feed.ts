/**
 * The revocation feed: how long after an acknowledged revocation each of fifty verifiers has it, and how many publications a
 * second one broker hands on to them without a hole.
 */
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { AUDIENCE, LAB, startBroker } from './broker.js';
import { cpuMicroseconds } from './child.js';
import type { Signer } from './issuer.js';
import { post } from './load.js';
import { quantile } from './numbers.js';
import type { RedisServer } from './redis.js';
import { publishEnds } from './seed.js';
import { targetTable } from './table.js';

const VERIFIERS = 50;
const PREFIX = 'feed:';

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
  const start = () => startBroker({ directory, store: redis.url, lab, more: { redis: { prefix: PREFIX } } });
  // Verifiers hear at one broker of what was revoked at another. Both have the key-encryption key of the directory.
  const [broker, other] = [await start(), await start()];
  const [soc = '', api = ''] = await lab.tokens(2, (i) => ({
    ...{ iss: LAB, aud: AUDIENCE, team: 'sre' },
    sub: i === 0 ? 'soc' : 'tickets-api',
  }));
  const verifiers = await Promise.all(Array.from({ length: VERIFIERS }, () => follow(broker.url, api)));
  const [waits, whole] = [new Array<number>(), new Array<number>()];
  for (let i = -20; i < revocations; i += 1) {
    const sent = performance.now();
    const { seq, answeredAt } = await revoke(other.url, soc, `lab:nobody-${i}`);
    await until(() => verifiers.every((verifier) => verifier.heardAt.has(seq)));
    if (i < 0) continue; // The first ones warm up.
    const heard = verifiers.map(({ heardAt }) => heardAt.get(seq) ?? NaN);
    // A verifier may know before the caller has its answer.
    waits.push(...heard.map((moment) => Math.max(0, moment - answeredAt)));
    whole.push(...heard.map((moment) => moment - sent));
  }
  await other.end();
  const before = cpuMicroseconds(broker.pid);
  const perSecond = await publishMany(redis, verifiers, publications);
  const cpuEach = (cpuMicroseconds(broker.pid) - before) / publications;
  for (const verifier of verifiers) verifier.leave();
  await broker.end();
  const [half, most] = [0.5, 0.99].map((share) => quantileOf(waits, share)) as [number, number];
  const targets = targetTable([
    ['time to deny from the acknowledged call, p50', '≤ 10 ms', half, half <= 10, ' ms'],
    ['the same, p99', '≤ 50 ms', most, most <= 50, ' ms'],
    [`publications a second to ${VERIFIERS} verifiers, no hole`, '≥ 5000', perSecond, perSecond >= 5_000, ''],
  ]);
  const [sentHalf, sentMost] = [0.5, 0.99].map((share) => quantileOf(whole, share).toFixed(1));
  const cpu = `Handing one publication on to all of them took the broker ${cpuEach.toFixed(0)} µs of CPU.`;
  return `${targets}\n\n${cpu} From sending the call to the other broker until a verifier had heard: p50 ${sentHalf} ms, p99 ${sentMost} ms.`;
}

const quantileOf = (numbers: readonly number[], share: number): number =>
  quantile(
    numbers.toSorted((a, b) => a - b),
    share,
  );

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
    const whole = rest + text;
    const end = whole.lastIndexOf('\n\n') + 1;
    rest = whole.slice(end);
    for (const [, number, event] of whole.slice(0, end).matchAll(/^(?:id: \S+\.(\d+)\n)?event: (\w+)$/gm)) {
      isLive ||= event === 'heartbeat';
      if (number === undefined) continue;
      const seq = Number(number);
      if (event === 'revocation' && seq !== verifier.seq + 1) throw new Error(`a hole before ${seq}`);
      verifier.seq = seq;
      verifier.heardAt.set(seq, performance.now());
    }
  });
  response.on('error', () => undefined);
  await until(() => isLive);
  return verifier;
}

async function revoke(url: string, bearer: string, value: string): Promise<{ seq: number; answeredAt: number }> {
  const body = JSON.stringify({ selector: { kind: 'workload', value }, reason: 'benchmark', unseen: true });
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  const { status, text } = await post(`${url}/revocations`, { headers, body });
  if (status !== 200) throw new Error(`the revocation was answered ${status}: ${text}`);
  return { seq: (JSON.parse(text) as { seq: number }).seq, answeredAt: performance.now() };
}

/** The time is until the last verifier has the last one. */
async function publishMany(redis: RedisServer, verifiers: readonly Verifier[], count: number): Promise<number> {
  const last = (verifiers[0]?.seq ?? 0) + count;
  const from = performance.now();
  await publishEnds(redis.url, PREFIX, count);
  await until(() => verifiers.every(({ seq }) => seq === last));
  return (count * 1000) / (performance.now() - from);
}

async function until(condition: () => boolean): Promise<void> {
  const patience = AbortSignal.timeout(60_000);
  while (!condition()) {
    if (patience.aborted) throw new Error('the verifiers do not hear it');
    await pause(1);
  }
}
