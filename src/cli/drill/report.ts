/** What a drill found, as data and as text. */
import { toTimestamp } from '../../domain/time.js';
import type { DrillSize, Measured } from './measure.js';

interface Quantiles {
  p50: number;
  p99: number;
  max: number;
}

/** Times are milliseconds. */
interface DrillReport extends DrillSize {
  /** RFC 3339. */
  at: string;
  broker: string;
  /** Whether every verifier denied every shadow credential, and refused the token after each publication. */
  passed: boolean;
  denied: number;
  /** From sending a publication until a verifier had denied all that it ended; null where none did. */
  timeToDeny: Quantiles | null;
  /** The entries of the log, whose receipts say when the real verifiers knew. */
  revocations: { first: number; last: number };
}

export function reportOf(
  size: DrillSize,
  measured: Measured,
  { at, broker }: { at: number; broker: string },
): DrillReport {
  const { waits, denied, seqs } = measured;
  const pairs = size.verifiers * size.publications;
  return {
    at: toTimestamp(at),
    broker,
    ...size,
    passed: waits.length === pairs && denied === size.credentials,
    denied,
    timeToDeny: quantilesOf(waits),
    revocations: { first: seqs[0], last: seqs[1] },
  };
}

function quantilesOf(numbers: readonly number[]): Quantiles | null {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round((sorted[Math.ceil(share * sorted.length) - 1] ?? NaN) * 10) / 10;
  return sorted.length === 0 ? null : { p50: at(0.5), p99: at(0.99), max: at(1) };
}

export function textOf(report: DrillReport): string {
  const { at, broker, verifiers, credentials, publications, denied, passed, revocations } = report;
  const count = (number: number, of: string) => `${number.toLocaleString('en')} ${of}${number === 1 ? '' : 's'}`;
  return [
    `Drill of ${at} at ${broker}`,
    `${count(verifiers, 'verifier')}, ${count(credentials, 'shadow credential')}, ${count(publications, 'publication')}`,
    passed
      ? 'Every verifier denied all that was revoked.'
      : `NOT PASSED: ${denied.toLocaleString('en')} credentials were denied within 15 seconds; the times are of those.`,
    `From sending a revocation until a verifier denied: ${timesOf(report.timeToDeny)}`,
    `When the real verifiers knew: receipts ${revocations.first} to ${revocations.last} (GET /revocations/<number>).`,
  ].join('\n');
}

const timesOf = (quantiles: Quantiles | null): string =>
  Object.entries(quantiles ?? {})
    .map(([name, ms]) => `${name} ${ms} ms`)
    .join(', ') || 'none did.';
