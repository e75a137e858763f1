/** The tables, and for each target its result: met or not. Markdown, so that it can be read and kept. */
import { LISTPACK_ENTRIES, type CredentialMemory } from './credential-memory.js';
import type { Revoked } from './revocation.js';
import type { Outcome, Turn } from './rounds.js';
import { median } from './numbers.js';
import { span, table, targetTable, type Target } from './table.js';

export interface Findings extends Outcome {
  /** Names of the rows that targets apply to. */
  named: { peer: string; same: string; fresh: string; introspected: string; evaluated: string };
  revoked: Revoked;
  credentialBytes: CredentialMemory;
  auditBytes: number;
}

export function report({ rows, named, signatures, revoked, credentialBytes, auditBytes }: Findings): string {
  const signatureCpu = median(signatures.map(({ cpuMicroseconds }) => cpuMicroseconds));
  const signaturesPerSecond = median(signatures.map(({ perSecond }) => perSecond));
  const turnsOf = (name: string) => rows.find((row) => row.name === name)?.turns ?? [];
  const ratio = (name: string) => ratioTo(turnsOf(named.peer), turnsOf(name));
  const cpu = (name: string) => ratioTo(turnsOf(named.peer), turnsOf(name), ({ cpuMicroseconds }) => cpuMicroseconds);
  const rate = (name: string) => median(turnsOf(name).map(({ perSecond }) => perSecond));
  const asked = (what: string, name: string): Target[] => [
    atMost(`${what}, CPU to peer`, 0.35, cpu(name)),
    [`${what}s a second, 32 in flight`, '≥ 3000', rate(name), rate(name) >= 3_000, ''],
  ];
  const atMost = (what: string, most: number, got: number): Target => [what, `≤ ${most}`, got, got <= most, '×'];
  const { oneWorkload, manyWorkloads, compact } = credentialBytes;
  const bytes = Math.max(oneWorkload, manyWorkloads);
  const [few, many] = [median(revoked.few), median(revoked.many)];
  const targets: Target[] = [
    ['same identity token, throughput to peer', '≥ 2', ratio(named.same), ratio(named.same) >= 2, '×'],
    ['every identity token new, throughput to peer', '≥ 1.2', ratio(named.fresh), ratio(named.fresh) >= 1.2, '×'],
    atMost('same identity token, CPU to peer', 0.5, cpu(named.same)),
    atMost('every identity token new, CPU to peer', 0.7, cpu(named.fresh)),
    ...asked('introspection', named.introspected),
    ...asked('evaluation', named.evaluated),
    [`revoke ${revoked.held.many} to revoke ${revoked.held.few}`, '≤ 2', many / few, many / few <= 2, '×'],
    ['Redis bytes per live credential with its task', '≤ 1100', bytes, bytes <= 1100, ' B'],
    [`the same, ${COMPACT}`, '≤ 1100', compact, compact <= 1100, ' B'],
  ];
  return [
    table(
      ['', ...TURN_HEAD, 'to peer', 'CPU in signatures'],
      rows.map(({ name, turns }) => line(name, turns, ratio(name), signatureCpu)),
    ),
    `One ES256 signature by jose: ${signaturesPerSecond.toFixed(0)} per second, ${signatureCpu.toFixed(0)} µs CPU.`,
    table(
      ['revoking a workload that holds', 'p50 ms', 'low–high'],
      [
        [String(revoked.held.few), few.toFixed(1), span(revoked.few, 1)],
        [String(revoked.held.many), many.toFixed(1), span(revoked.many, 1)],
      ],
    ),
    `The first of ${revoked.held.many} was counted whole (${revoked.counted.credentials} credentials) ${(revoked.counted.ms / 1000).toFixed(1)} s after it was acknowledged.`,
    table(
      ['Redis memory', 'bytes'],
      [
        ['live credential with its task, all of one workload', oneWorkload.toFixed(0)],
        ['live credential with its task, twenty to a workload', manyWorkloads.toFixed(0)],
        [`live credential with its task, all of one workload, ${COMPACT}`, compact.toFixed(0)],
        ['audit entry', auditBytes.toFixed(0)],
      ],
    ),
    targetTable(targets),
  ].join('\n\n');
}

const COMPACT = `with zset-max-listpack-entries ${LISTPACK_ENTRIES}`;

const line = (name: string, turns: readonly Turn[], toPeer: number, signatureCpu: number): string[] => [
  name,
  ...cellsOf(turns),
  `${toPeer.toFixed(2)}×`,
  (median(turns.map(({ cpuMicroseconds }) => cpuMicroseconds)) / signatureCpu).toFixed(1),
];

/** The columns of `cellsOf`. */
export const TURN_HEAD = ['per second', 'low–high', 'p50 ms', 'p99 ms', 'CPU µs', 'Redis CPU µs'];

/** What the turns of a contender took, as medians. */
export function cellsOf(turns: readonly Turn[]): string[] {
  const of = (value: (turn: Turn) => number, digits: number) => median(turns.map(value)).toFixed(digits);
  const rates = turns.map(({ perSecond }) => perSecond);
  return [
    median(rates).toFixed(0),
    span(rates, 0),
    of(({ p50 }) => p50, 1),
    of(({ p99 }) => p99, 1),
    of(({ cpuMicroseconds }) => cpuMicroseconds, 0),
    of(({ redisCpuMicroseconds }) => redisCpuMicroseconds, 0),
  ];
}

/** Compares round by round, since other load slows both of a round alike. */
export const ratioTo = (
  peer: readonly Turn[],
  turns: readonly Turn[],
  value: (turn: Turn) => number = ({ perSecond }) => perSecond,
): number => median(turns.map((turn, round) => value(turn) / (peer[round] ? value(peer[round]) : NaN)));
