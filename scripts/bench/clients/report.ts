/** What clients meet: the tables, and for each target its result. */
import { median } from '../numbers.js';
import { cellsOf, ratioTo, TURN_HEAD } from '../report.js';
import type { Outcome } from '../rounds.js';
import { span, table, targetTable, type Target } from '../table.js';
import type { Cached } from './cached.js';
import { NAMES } from './gateway.js';

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
