/** The results for signals, and which targets are met. */
import { median, quantile } from '../numbers.js';
import { span, table, targetTable, type Target } from '../table.js';
import type { DetectorsCost } from './detectors.js';
import type { SignalsFindings } from './measure.js';
import type { Taken } from './taken.js';

export function signalsReport({ taken, reactions, detectors }: SignalsFindings): string {
  const recorded = taken.slice(0, 1).flatMap(({ turns }) => turns.map(({ perSecond }) => perSecond));
  const accepted = median(recorded);
  const lost = median(percentLost(detectors));
  const targets: Target[] = [
    ['events taken in a second, recorded', '≥ 1000', accepted, accepted >= 1_000, ''],
    ...reactions.map(({ perSecond, latencies }): Target => {
      const p99 = quantile(latencies, 0.99);
      return [`from 202 to publication, p99 at ${perSecond} a second`, '≤ 100', p99, p99 <= 100, ' ms'];
    }),
    ['detectors, of the throughput of exchanges', '≤ 5', lost, lost <= 5, ' %'],
  ];
  return [
    table(
      ['events', 'per second', 'low–high', 'p50 ms', 'p99 ms', 'CPU µs', 'Redis CPU µs', 'all evaluated after ms'],
      taken.map(takenLine),
    ),
    table(
      ['from 202 to publication', 'p50 ms', 'p95 ms', 'p99 ms', 'longest'],
      reactions.map(({ perSecond, latencies }) => [
        `${latencies.length} holds, ${perSecond} a second`,
        ...[0.5, 0.95, 0.99, 1].map((share) => quantile(latencies, share).toFixed(1)),
      ]),
    ),
    table(
      ['exchanges', 'per second', 'low–high', 'CPU µs', 'low–high'],
      [exchangeLine('detectors as shipped', detectors.with), exchangeLine('without detectors', detectors.without)],
    ),
    `Round by round the detectors take ${signed(percentLost(detectors))} of the throughput, and add ${signed(percentAdded(detectors))} of CPU.`,
    targetTable(targets),
  ].join('\n\n');
}

function takenLine({ name, turns }: Taken): string[] {
  const of = (value: (turn: Taken['turns'][number]) => number) => turns.map(value);
  return [
    name,
    median(of(({ perSecond }) => perSecond)).toFixed(0),
    span(
      of(({ perSecond }) => perSecond),
      0,
    ),
    median(of(({ p50 }) => p50)).toFixed(1),
    median(of(({ p99 }) => p99)).toFixed(1),
    median(of((turn) => turn.cpuMicroseconds)).toFixed(0),
    median(of((turn) => turn.redisCpuMicroseconds)).toFixed(0),
    median(of(({ drainedMs }) => drainedMs)).toFixed(0),
  ];
}

function exchangeLine(name: string, turns: DetectorsCost['with']): string[] {
  const [rates, cpu] = [turns.map(({ perSecond }) => perSecond), turns.map((turn) => turn.cpuMicroseconds)];
  return [name, median(rates).toFixed(0), span(rates, 0), median(cpu).toFixed(0), span(cpu, 0)];
}

/** Compares round by round, since other load slows both of a round alike. */
const percentLost = (cost: DetectorsCost): number[] =>
  cost.with.map(({ perSecond }, round) => 100 * (1 - perSecond / (cost.without[round]?.perSecond ?? NaN)));

const percentAdded = (cost: DetectorsCost): number[] =>
  cost.with.map((turn, round) => 100 * (turn.cpuMicroseconds / (cost.without[round]?.cpuMicroseconds ?? NaN) - 1));

const signed = (percent: number[]): string => `${median(percent).toFixed(1)} % (${span(percent, 1)})`;
