/** Every use of the clock is checked, or listed with the reason why it need not be. Lint enforces the list. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { ESLint, type Linter } from 'eslint';
import { parser } from 'typescript-eslint';
import { describe, expect, it } from '@jest/globals';
import { UNCHECKED_TIME } from '../../scripts/unchecked-time.mjs';

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => `src/${name.replaceAll('\\', '/')}`);

const ELSEWHERE = 'src/credentials/introspect.ts';

const readsUnchecked = (file: string): boolean => /\.(unchecked\w*|reading)\b/.test(readFileSync(file, 'utf8'));

describe('a clock that may be wrong', () => {
  it('is read by the listed files and by no other', () => {
    expect(files.filter(readsUnchecked).sort()).toEqual([...UNCHECKED_TIME].sort());
  });

  it.each(UNCHECKED_TIME)('is listed for %s, which exists', (file) => {
    expect(existsSync(file)).toBe(true);
  });

  it.each([
    'export const when = (clock: { unchecked(): number }): number => clock.unchecked();\n',
    'export const when = ({ reading }: { reading(): number }): number => reading();\n',
    'export const when = (): number => Date.now();\n',
  ])('does not pass lint anywhere else: %s', async (text) => {
    const { rules } = (await new ESLint().calculateConfigForFile(ELSEWHERE)) as { rules: Linter.RulesRecord };
    const restricted = Object.entries(rules).filter(([name]) => name.startsWith('no-restricted-'));
    const overrideConfig = {
      files: ['**/*.ts'],
      languageOptions: { parser },
      rules: Object.fromEntries(restricted),
    };
    const eslint = new ESLint({ overrideConfigFile: true, overrideConfig });
    const [result] = await eslint.lintText(text, { filePath: ELSEWHERE });
    expect(result?.messages).toHaveLength(1);
  });
});
