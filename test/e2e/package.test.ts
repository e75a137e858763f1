/** The package as others install it: packed, unpacked elsewhere, and imported without anything that the broker needs. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { temporaryDirectory } from '../support/directory.js';

const directory = temporaryDirectory();
const home = join(directory, 'node_modules/mayfly');

beforeAll(() => {
  const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', directory], {
    encoding: 'utf8',
  });
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
  mkdirSync(home, { recursive: true });
  execFileSync('tar', ['-xzf', join(directory, filename), '--strip-components=1', '-C', home]);
});

/** Runs a program that imports the package. */
function run(program: string): string {
  writeFileSync(join(directory, 'program.mjs'), program);
  return execFileSync(process.execPath, ['program.mjs'], { cwd: directory, encoding: 'utf8', stdio: 'pipe' });
}

describe('the package', () => {
  it('has a client that needs no other package', () => {
    const out = run(`import * as client from 'mayfly/client'; console.log(Object.keys(client).sort().join(' '));`);
    expect(out.trim().split(' ')).toEqual(expect.arrayContaining(['mayfly', 'fetchFor', 'fromFile', 'TaskEnded']));
  });

  it('has the types of the client, and gives away nothing else of the broker', () => {
    const { exports } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as {
      exports: Record<string, { types: string }>;
    };
    expect(existsSync(join(home, exports['./client']!.types))).toBe(true);
    expect(() => run(`import 'mayfly/dist/src/main.js';`)).toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });

  it('has a command', () => {
    expect(readFileSync(join(home, 'dist/src/cli/main.js'), 'utf8')).toMatch(/^#!/);
  });

  it('has its licence, and no tests', () => {
    expect(existsSync(join(home, 'LICENSE'))).toBe(true);
    expect(existsSync(join(home, 'dist/test'))).toBe(false);
  });
});
