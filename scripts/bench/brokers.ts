/** Several brokers on one Redis: they share its log, and each entry of the audit log needs the head that another may just have moved. */
import { join } from 'node:path';
import { startBroker, type Broker } from './broker.js';
import { cpuMicroseconds } from './child.js';
import { sameToken } from './contenders.js';
import type { Signer } from './issuer.js';
import { CONNECTIONS, drive } from './load.js';
import { median, quantile } from './numbers.js';
import type { RedisServer } from './redis.js';
import { span, table, targetTable, type Target } from './table.js';

/** How many brokers share the load, case by case. The first is what the others are compared with. */
const CASES = [1, 2, 4] as const;
type Case = (typeof CASES)[number];

interface Turn {
  perSecond: number;
  p50: number;
  p99: number;
  /** CPU of all brokers for each exchange. */
  cpuMicroseconds: number;
}

interface BrokersWish {
  rounds: number;
  /** Exchanges in a round of each case. */
  requests: number;
  warmUp: number;
}

export async function measureBrokers(
  directory: string,
  redis: RedisServer,
  lab: Signer,
  { rounds, requests, warmUp }: BrokersWish,
): Promise<string> {
  const start = () =>
    startBroker({
      directory: join(directory, 'broker'),
      store: redis.url,
      lab,
      more: { redis: { prefix: 'brokers:' } },
    });
  const brokers: Broker[] = [];
  for (let i = 0; i < Math.max(...CASES); i += 1) brokers.push(await start());
  for (const broker of brokers) await drive(await sameToken('', broker, lab).prepare(warmUp));
  const turns = new Map<Case, Turn[]>(CASES.map((count) => [count, []]));
  for (let round = 0; round < rounds; round += 1) {
    // The order turns, so that other load on the machine affects all alike.
    const first = round % CASES.length;
    for (const count of [...CASES.slice(first), ...CASES.slice(0, first)]) {
      // Nor is it always the same broker that has done the most, and so has the best compiled code.
      const some = [...brokers, ...brokers].slice(round % brokers.length).slice(0, count);
      turns.get(count)?.push(await measure(some, lab, requests));
      process.stderr.write('.');
    }
  }
  process.stderr.write('\n');
  await Promise.all(brokers.map((broker) => broker.end()));
  return report(turns);
}

/** The same connections and exchanges in all, whatever the number of brokers: each broker takes its part of them. */
async function measure(brokers: readonly Broker[], lab: Signer, requests: number): Promise<Turn> {
  const cpu = () => brokers.reduce((sum, { pid }) => sum + cpuMicroseconds(pid), 0);
  const loads = await Promise.all(
    brokers.map((broker) => sameToken('', broker, lab).prepare(Math.ceil(requests / brokers.length))),
  );
  const before = cpu();
  const connections = Math.ceil(CONNECTIONS / brokers.length);
  const driven = await Promise.all(loads.map((load) => drive({ ...load, connections })));
  const latencies = driven.flatMap((one) => one.latencies).sort((a, b) => a - b);
  return {
    perSecond: latencies.length / Math.max(...driven.map(({ seconds }) => seconds)),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpuMicroseconds: (cpu() - before) / latencies.length,
  };
}

function report(turns: ReadonlyMap<Case, Turn[]>): string {
  const of = (count: Case, value: (turn: Turn) => number) => median((turns.get(count) ?? []).map(value));
  const rate = ({ perSecond }: Turn) => perSecond;
  const rows = CASES.map((count) => {
    const rates = (turns.get(count) ?? []).map(rate);
    const [p50, p99] = [of(count, (turn) => turn.p50).toFixed(1), of(count, (turn) => turn.p99).toFixed(1)];
    return [
      String(count),
      median(rates).toFixed(0),
      span(rates, 0),
      p50,
      p99,
      of(count, (turn) => turn.cpuMicroseconds).toFixed(0),
    ];
  });
  const ratio = (count: Case, value: (turn: Turn) => number) => {
    const alone = turns.get(CASES[0]) ?? [];
    return median(
      (turns.get(count) ?? []).map((turn, round) => value(turn) / (alone[round] ? value(alone[round]) : NaN)),
    );
  };
  const targets = CASES.slice(1).flatMap((count): Target[] => {
    const [sum, p99] = [ratio(count, rate), ratio(count, (turn) => turn.p99)];
    return [
      [`${count} brokers, sum of exchanges to one broker`, '≥ 1', sum, sum >= 1, '×'],
      [`${count} brokers, p99 to one broker`, '≤ 1', p99, p99 <= 1, '×'],
    ];
  });
  const head = ['brokers on one Redis', 'exchanges a second', 'low–high', 'p50 ms', 'p99 ms', 'CPU µs'];
  return `${table(head, rows)}\n\n${targetTable(targets)}`;
}
