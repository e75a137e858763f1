/** Lays out answers for people: aligned, and with no character of a stranger that could drive the terminal or forge a line. */
import { escaped, masked } from '../../domain/text.js';

/** Returns one line a row; every cell but the last of a row is as wide as its column. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  const line = (row: readonly string[]) =>
    row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join('  ');
  return rows.map((row) => masked(line(row)).trimEnd());
}

/** One thing in words. */
export interface Described {
  /** The first is a sentence, the others are below it. With texts of strangers in them, as they are. */
  lines: string[];
  /** What the broker answered, for machines. */
  answer: unknown;
}

export type Facts = readonly (readonly [label: string, value: string | undefined])[];

/** Returns `label  value`, one a line; what is undefined is left out. */
export const factLines = (facts: Facts): string[] =>
  columns(facts.flatMap(([label, value]) => (value === undefined ? [] : [[`  ${label}`, value]])));

/** JSON leaves characters as they are that drive some terminals (U+009B) or turn the direction: here they are escaped. */
export const jsonLine = (value: unknown): string => escaped(JSON.stringify(value));
