import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';
import { UNCHECKED_TIME } from './scripts/unchecked-time.mjs';

const clock = 'The clock is passed in: take a Clock (src/domain/time.ts).';

const noDate = { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clock };

const uncheckedTime = {
  selector:
    'MemberExpression[property.name=/^(unchecked\\w*|reading)$/], ObjectPattern > Property[key.name=/^(unchecked\\w*|reading)$/]',
  message:
    'Read `now`, which refuses while the clock is wrong; or say in scripts/unchecked-time.mjs why a wrong clock grants nothing here.',
};

const TEST_WITH_TIME = '/^(it|test|(before|after)(All|Each))$/';

export default tseslint.config(
  { ignores: ['**/dist', 'coverage', 'node_modules'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/consistent-type-definitions': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-depth': ['error', 3],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
      'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }],
      'no-console': 'error',
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: clock },
        { object: 'Math', property: 'random', message: 'Use node:crypto.' },
        {
          object: 'process',
          property: 'env',
          message:
            'The environment is read in src/config/load.ts, by the client for its identity, by exec for its command, and by the program that hands it to commands.',
        },
      ],
      'no-restricted-syntax': ['error', noDate, uncheckedTime],
    },
  },
  { files: UNCHECKED_TIME, rules: { 'no-restricted-syntax': ['error', noDate] } },
  {
    files: ['src/config/load.ts', 'src/client/identity/*.ts', 'src/cli/exec.ts', 'src/cli/main.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  { files: ['src/domain/time.ts'], rules: { 'no-restricted-properties': 'off', 'no-restricted-syntax': 'off' } },
  { files: ['src/cli/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**/*.ts', 'scripts/**/*.ts', 'fakes/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'performance', property: 'now', message: 'No test asserts on time taken: the machine may be busy.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: `:matches(CallExpression[callee.name=${TEST_WITH_TIME}], CallExpression[callee.callee.property.name='each']) > Literal:last-child[value<180000]`,
          message: 'jest.config.js says how long a test may take, the same for all: the machine may be busy.',
        },
      ],
    },
  },
  { files: ['**/*.{js,mjs,cjs}'], languageOptions: { globals: globals.node } },
);
