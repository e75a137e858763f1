/** Every use of the clock is checked, or listed with the reason why it need not be. Lint enforces the list. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { UNCHECKED_TIME } from '../../scripts/unchecked-time.mjs';
import { temporaryDirectory } from '../support/directory.js';

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/${name.replaceAll('\\', '/')}`);

const ELSEWHERE = 'src/credentials/introspect.ts';

/** Returns which rules about time a file breaks whose text is this, by the configuration of this project. */
function brokenBy(text: string, file: string): string[] {
  const directory = temporaryDirectory();
  for (const name of ['.oxlintrc.json', 'scripts/lint-rules.mjs', 'scripts/unchecked-time.mjs']) {
    cpSync(name, join(directory, name));
  }
  mkdirSync(dirname(join(directory, file)), { recursive: true });
  writeFileSync(join(directory, file), text);
  const oxlint = resolve('node_modules/oxlint/bin/oxlint');
  const { stdout } = spawnSync(process.execPath, [oxlint, '--format', 'json'], { cwd: directory, encoding: 'utf8' });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string }[] };
  return diagnostics.map(({ code }) => code).filter((code) => /^mayfly|restricted/.test(code));
}

const readsUnchecked = (file: string): boolean => /\.(unchecked\w*|reading)\b/.test(readFileSync(file, 'utf8'));

describe('a clock that may be wrong', () => {
  it('is read by the listed files and by no other', () => {
    expect(files.filter(readsUnchecked).sort()).toEqual([...UNCHECKED_TIME].sort());
  });

  it.each(UNCHECKED_TIME)('is listed for %s, which exists', (file) => {
    expect(existsSync(file)).toBe(true);
  });

  it.each([
    ['export const when = (clock: { unchecked(): number }): number => clock.unchecked();\n', 'mayfly(time-is-checked)'],
    ['export const when = ({ reading }: { reading(): number }): number => reading();\n', 'mayfly(time-is-checked)'],
    ['export const when = (): Date => new Date();\n', 'mayfly(clock-is-passed-in)'],
    ['export const when = (): number => Date.now();\n', 'eslint(no-restricted-properties)'],
  ])('does not pass lint anywhere else: %s', (text, rule) => {
    expect(brokenBy(text, ELSEWHERE)).toEqual([rule]);
  });

  it('passes lint in a listed file', () => {
    const text = 'export const when = (clock: { unchecked(): number }): number => clock.unchecked();\n';
    expect(brokenBy(text, UNCHECKED_TIME[0] ?? '')).toEqual([]);
  });
});

it('a test that sets a time of its own, which a busy machine needs more than, does not pass lint', () => {
  const texts = ["it('is', () => undefined, 1000);", "it.each([1])('is', () => undefined, 1000);"];
  expect(texts.flatMap((text) => brokenBy(`${text}\n`, 'test/unit/some.test.ts'))).toEqual([
    'mayfly(tests-have-time)',
    'mayfly(tests-have-time)',
  ]);
});
