/** The results for AWS sessions, and which targets are met. */
import { median, quantile } from '../numbers.js';
import { span, table, targetTable, type Target } from '../table.js';
import type { ManyEnds } from './many-ends.js';
import type { AwsFindings } from './measure.js';
import type { Overhead } from './overhead.js';
import type { Turns } from './turns.js';

export function awsReport({ overhead: { busy, alone }, turns, manyEnds }: AwsFindings): string {
  const added = median(busy.added);
  const targets: Target[] = [
    ['added to the STS round trip, p50 at 16 in flight', '≤ 3', added, added <= 3, ' ms'],
    ...turns.map((one): Target => {
      const cpu = median(warm(one));
      return [`a turn with ${one.denied} denied ids, ${one.name}`, '≤ 20', cpu, cpu <= 20, ' ms CPU'];
    }),
    [
      `writes to IAM per second, ending ${manyEnds.ended} tasks`,
      '≤ 1',
      perSecond(manyEnds),
      perSecond(manyEnds) <= 1,
      '',
    ],
    [`sessions of them that still work at the end`, '0', alive(manyEnds), alive(manyEnds) === 0, ''],
  ];
  return [
    table(
      ['AWS sessions', 'in flight', 'per second', 'p50 ms', 'p99 ms', 'broker CPU µs', 'p50 added ms', 'low–high'],
      [busy, alone].flatMap(overheadLines),
    ),
    table(
      [
        'a turn of the reconciler',
        'p50 CPU ms',
        'p95',
        'until warm p50',
        'the first',
        'Redis CPU ms',
        'policy characters',
      ],
      turns.map(turnLine),
    ),
    manyEndsText(manyEnds),
    targetTable(targets),
  ].join('\n\n');
}

const overheadLines = ({ inFlight, direct, broker, added }: Overhead): string[][] => [
  ['STS directly', String(inFlight), ...rates(direct), '', '', ''],
  [
    'through the broker',
    String(inFlight),
    ...rates(broker),
    broker.cpuMicroseconds.toFixed(0),
    median(added).toFixed(1),
    span(added, 1),
  ],
];

const rates = ({ perSecond, p50, p99 }: Overhead['direct']): string[] => [
  perSecond.toFixed(0),
  p50.toFixed(1),
  p99.toFixed(1),
];

/** A broker takes one turn a second at most, so its code is warm within a minute. */
const warm = ({ cpuMs }: Turns): number[] => cpuMs.slice(cpuMs.length / 2);

const turnLine = (turns: Turns): string[] => {
  const sorted = warm(turns).sort((a, b) => a - b);
  return [
    `${turns.denied} denied ids on ${turns.name}`,
    median(sorted).toFixed(1),
    quantile(sorted, 0.95).toFixed(1),
    median(turns.cpuMs.slice(1, turns.cpuMs.length / 2)).toFixed(1),
    (turns.cpuMs[0] ?? NaN).toFixed(0),
    turns.storeCpuMs?.toFixed(1) ?? '',
    String(turns.characters),
  ];
};

/** Dead sessions: of a sample according to the ledger, of real sessions according to AWS. */
const alive = ({ effects, real }: ManyEnds): number =>
  Object.entries(effects).reduce(
    (sum, [effect, count]) => sum + (['effective', 'expired'].includes(effect) ? 0 : count),
    real.after,
  );

const perSecond = ({ writes, endingSeconds, writtenSeconds }: ManyEnds): number =>
  writes.length / (endingSeconds + writtenSeconds);

function nearest(writes: ManyEnds['writes']): string {
  const gaps = writes.slice(1).map(({ at }, index) => at - (writes[index]?.at ?? NaN));
  return gaps.length === 0 ? '' : `, the nearest two were ${(Math.min(...gaps) / 1_000).toFixed(1)} s apart`;
}

function manyEndsText({ effects, real, writes, ...ends }: ManyEnds): string {
  const sample = Object.entries(effects).map(([effect, count]) => `${count} ${effect}`);
  const longest = Math.max(0, ...writes.map(({ characters }) => characters));
  const seconds = (value: number) => `${value.toFixed(1)} s`;
  return [
    `${ends.ended} tasks, each with a session of one role, were ended in ${seconds(ends.endingSeconds)}: ${writes.length} writes to IAM, of at most ${longest} characters; the first came after ${seconds(ends.firstWriteSeconds)}${nearest(writes)}.`,
    `The last end was written to the role ${seconds(ends.writtenSeconds)} after it was acknowledged, and counted as effective ${seconds(ends.effectiveSeconds)} after.`,
    `A sample of their credentials: ${sample.join(', ')}. Of ${real.before} sessions that could read an object before, ${real.after} could.`,
  ].join('\n');
}
