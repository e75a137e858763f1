/** What clients meet: the tables, and for each target its result. */
import { median } from '../numbers.js';
import { cellsOf, ratioTo, TURN_HEAD } from '../report.js';
import type { Outcome } from '../rounds.js';
import { span, table, targetTable, type Target } from '../table.js';
import type { Cached } from './cached.js';
import { NAMES } from './gateway.js';
import type { WithoutCode } from './without-code.js';

export function clientsReport({ rows }: Outcome, cached: readonly Cached[]): string {
  const turnsOf = (name: string) => rows.find((row) => row.name === name)?.turns ?? [];
  const ratio = (name: string) => ratioTo(turnsOf(NAMES.exchange), turnsOf(name));
  const [typescript = NaN] = cached.map(({ microseconds }) => median(microseconds ?? []));
  const targets: Target[] = [
    [
      'a gateway for 1,000 persons, throughput to exchange',
      '≥ 1',
      ratio(NAMES.gateway),
      ratio(NAMES.gateway) >= 1,
      '×',
    ],
    ['credential() from cache, TypeScript', '≤ 5', typescript, typescript <= 5, ' µs'],
  ];
  return [
    table(
      ['', ...TURN_HEAD, 'to exchange'],
      rows.map(({ name, turns }) => [name, ...cellsOf(turns), `${ratio(name).toFixed(2)}×`]),
    ),
    table(
      ['credential() from cache', 'CPU µs', 'low–high'],
      cached.map(({ name, microseconds: got }) =>
        got ? [name, median(got).toFixed(1), span(got, 1)] : [name, 'not measured: there is no python3', ''],
      ),
    ),
    targetTable(targets),
  ].join('\n\n');
}

export function withoutCodeReport({ direct, proxied, untilCut, bare, underExec }: WithoutCode): string {
  const added = proxied.map((ms, round) => ms - (direct[round] ?? NaN));
  const started = median(underExec) - median(bare);
  const row = (name: string, numbers: readonly number[], digits: number) => [
    name,
    median(numbers).toFixed(digits),
    span(numbers, digits),
  ];
  return [
    table(
      ['without code', 'p50 ms', 'low–high'],
      [
        row('a call to an API on loopback', direct, 2),
        row('the same through `mayfly proxy`', proxied, 2),
        row('from the end of the task to the cut of a stream', untilCut, 0),
        row('`true`', bare, 0),
        row('`mayfly exec -- true`', underExec, 0),
      ],
    ),
    targetTable([
      ['`mayfly proxy` adds to a call, p50', '≤ 1', median(added), median(added) <= 1, ' ms'],
      ['`mayfly exec -- true` over `true`, p50', '≤ 400', started, started <= 400, ' ms'],
      // A second between two questions, and the time of one.
      ['the longest time to deny of a proxy', '≤ 1100', Math.max(...untilCut), Math.max(...untilCut) <= 1_100, ' ms'],
    ]),
  ].join('\n\n');
}
