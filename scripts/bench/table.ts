/** Tables in Markdown, so that they can be read and kept. */

export type Target = [what: string, wanted: string, got: number, met: boolean, unit: string];

/** One row per target: the result, and whether it meets the target. */
export const targetTable = (targets: readonly Target[]): string =>
  table(
    ['target', 'wanted', 'got', ''],
    targets.map(([what, wanted, got, met, unit]) => [
      what,
      wanted,
      `${got.toFixed(Math.abs(got) < 100 ? 2 : 0)}${unit}`,
      met ? 'met' : 'NOT MET',
    ]),
  );

export const span = (numbers: readonly number[], digits: number): string =>
  `${Math.min(...numbers).toFixed(digits)}–${Math.max(...numbers).toFixed(digits)}`;

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((cell, column) => Math.max(cell.length, 3, ...rows.map((row) => row[column]?.length ?? 0)));
  const written = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return [written(head), written(rule), ...rows.map(written)].join('\n');
}
