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

/** The first is what the others are compared with. The last shows what the number of processes costs, whatever they share. */
const CASES = [
  { name: '1 broker', brokers: 1 },
  { name: '2 brokers', brokers: 2 },
  { name: '4 brokers', brokers: 4 },
  { name: '4 brokers, each with logs of its own', brokers: 4, areAlone: true },
] as const;
type Case = (typeof CASES)[number];

const BROKERS_MOST = 4;

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
  const start = (prefix: string) =>
    startBroker({
      directory: join(directory, prefix),
      store: redis.url,
      lab,
      more: { redis: { prefix: `${prefix}:` } },
    });
  const [together, alone]: [Broker[], Broker[]] = [[], []];
  for (let i = 0; i < BROKERS_MOST; i += 1) {
    together.push(await start('together'));
    alone.push(await start(`alone-${i}`));
  }
  const all = [...together, ...alone];
  for (const broker of all) await drive(await sameToken('', broker, lab).prepare(warmUp));
  const turns = new Map<Case, Turn[]>(CASES.map((one) => [one, []]));
  for (let round = 0; round < rounds; round += 1) {
    // The order turns, so that other load on the machine affects all alike.
    const first = round % CASES.length;
    for (const one of [...CASES.slice(first), ...CASES.slice(0, first)]) {
      const from = 'areAlone' in one ? alone : together;
      // Nor is it always the same broker that has done the most, and so has the best compiled code.
      const some = [...from, ...from].slice(round % BROKERS_MOST).slice(0, one.brokers);
      turns.get(one)?.push(await measure(some, lab, requests));
      process.stderr.write('.');
    }
  }
  process.stderr.write('\n');
  await Promise.all(all.map((broker) => broker.end()));
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
  const rate = ({ perSecond }: Turn) => perSecond;
  const rows = [...turns].map(([{ name }, of]) => {
    const middle = (value: (turn: Turn) => number, digits: number) => median(of.map(value)).toFixed(digits);
    const rates = [middle(rate, 0), span(of.map(rate), 0)];
    return [
      name,
      ...rates,
      middle(({ p50 }) => p50, 1),
      middle(({ p99 }) => p99, 1),
      middle(({ cpuMicroseconds }) => cpuMicroseconds, 0),
    ];
  });
  const toFirst = (one: Case, value: (turn: Turn) => number) => {
    const first = (turns.get(CASES[0]) ?? []).map(value);
    return median((turns.get(one) ?? []).map((turn, round) => value(turn) / (first[round] ?? NaN)));
  };
  const targets = CASES.filter((one) => one.brokers > 1 && !('areAlone' in one)).flatMap((one): Target[] => {
    const [sum, p99] = [toFirst(one, rate), toFirst(one, (turn) => turn.p99)];
    return [
      [`${one.name}: exchanges to 1 broker`, '≥ 1', sum, sum >= 1, '×'],
      [`${one.name}: p99 to 1 broker`, '≤ 1', p99, p99 <= 1, '×'],
    ];
  });
  const head = ['on one Redis', 'exchanges a second', 'low–high', 'p50 ms', 'p99 ms', 'CPU µs'];
  return `${table(head, rows)}\n\n${targetTable(targets)}`;
}
