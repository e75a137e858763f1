/** `--since` of commands that read the audit log. */
import { InvalidArgumentError, Option } from 'commander';
import { DAY_MS, HOUR_MS } from '../../domain/time.js';

/** @param otherwise milliseconds, and as they are written */
export const sinceOption = (otherwise: number, written: string): Option =>
  new Option('--since <time>', 'how far back: 12h, 7d').argParser(sinceOf).default(otherwise, written);

function sinceOf(text: string): number {
  const [, number = '', unit] = /^([1-9]\d{0,3})([hd])$/.exec(text) ?? [];
  if (unit === undefined) throw new InvalidArgumentError('It is a number of hours or days, such as 12h or 7d.');
  return Number(number) * (unit === 'h' ? HOUR_MS : DAY_MS);
}
