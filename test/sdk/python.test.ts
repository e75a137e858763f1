/**
 * sdk/python as its users get it: built into a wheel, installed into an empty environment, and its own tests run against real
 * brokers. By hand: `python -m unittest` in sdk/python.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { findPython, hasWheels, packagesOf, WHEELS } from '../../scripts/python.mjs';
import { temporaryDirectory } from '../support/directory.js';
import { createServerCertificate } from '../support/issuers/certificate.js';

const SDK = resolve('sdk/python');
const python = findPython();
const missing =
  python === undefined
    ? 'there is no Python ≥ 3.10 with venv and ensurepip'
    : hasWheels()
      ? undefined
      : 'the wheels it is built with were not fetched: run `npm test` once with a network';
if (missing !== undefined) console.warn(`Left out, because ${missing}: the tests of sdk/python.`);

const directory = temporaryDirectory();
const ofVenv = join(directory, 'venv/bin/python');
let wheel: string;

/** Runs a command to its end, and fails with all it wrote unless that is 0. */
function run(command: string, args: string[], env: Record<string, string> = {}): string {
  const { PATH = '' } = process.env;
  const ran = spawnSync(command, args, {
    cwd: SDK,
    encoding: 'utf8',
    // Builds are then the same byte for byte (reproducible-builds.org).
    env: { PATH, PYTHONDONTWRITEBYTECODE: '1', SOURCE_DATE_EPOCH: '1577836800', ...env },
  });
  if (ran.status !== 0) throw new Error(`${command} ended with ${ran.status}:\n${ran.stdout}${ran.stderr}`);
  return ran.stdout + ran.stderr;
}

const install = (...what: string[]) =>
  run(ofVenv, ['-m', 'pip', 'install', '--quiet', '--no-index', '--no-deps', ...what]);

(missing === undefined ? describe : describe.skip)('the Python SDK', () => {
  beforeAll(() => {
    run(python ?? '', ['-m', 'venv', join(directory, 'venv')]);
    install('--find-links', WHEELS, 'flit_core');
    const build = `import flit_core.buildapi as flit; print(flit.build_wheel(${JSON.stringify(directory)}))`;
    wheel = join(directory, run(ofVenv, ['-c', build]).trim());
    install(wheel);
  });

  it('is a wheel of the version of the broker, typed, with licence and without tests', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    const names = run(ofVenv, ['-m', 'zipfile', '--list', wheel]);
    const facts = 'import importlib.metadata as m; print(m.version("mayfly-broker"), m.requires("mayfly-broker"))';
    expect(run(ofVenv, ['-c', facts])).toMatch(new RegExp(`^${version} `));
    expect(names).toMatch(/^mayfly\/py\.typed /m);
    expect(names).toContain(`mayfly_broker-${version}.dist-info/licenses/LICENSE`);
    expect(names).not.toMatch(/test/);
    expect(readFileSync(join(SDK, 'LICENSE'), 'utf8')).toBe(readFileSync('LICENSE', 'utf8'));
  });

  it('may be published: it says what it needs and under which licence, and its sdist makes the same wheel', () => {
    const metadata = run(ofVenv, ['-c', 'import importlib.metadata as m; print(m.metadata("mayfly-broker"))']);
    expect(metadata).toMatch(/^License-Expression: Apache-2\.0$/m);
    expect(metadata).toMatch(/^Requires-Python: >=3\.10$/m);
    expect(metadata).toMatch(/^Description-Content-Type: text\/markdown$/m);
    expect(metadata).not.toContain('Private ::');
    const again = join(directory, 'again');
    const rebuild = `
import flit_core.buildapi as flit, os, sys, tarfile
os.mkdir(sys.argv[1])
with tarfile.open(os.path.join(sys.argv[1], flit.build_sdist(sys.argv[1]))) as sdist:
    sdist.extractall(sys.argv[1], filter="data")
    os.chdir(os.path.join(sys.argv[1], sdist.getnames()[0].split("/")[0]))
print(flit.build_wheel(sys.argv[1]))`;
    const rebuilt = join(again, run(ofVenv, ['-c', rebuild, again]).trim());
    expect(readFileSync(rebuilt).equals(readFileSync(wheel))).toBe(true);
  });

  it('passes its own tests, with nothing else installed than real HTTP clients', () => {
    const { authority, certificate, key } = createServerCertificate(['tickets.example']);
    for (const [name, pem] of Object.entries({ authority, certificate, key })) {
      writeFileSync(join(directory, `${name}.pem`), pem);
    }
    install('--find-links', WHEELS, '--requirement', 'tests/requirements.txt');
    const where = run(ofVenv, ['-c', 'import mayfly; print(mayfly.__file__)']);
    expect(where).toContain(directory);
    const told = run(ofVenv, ['-W', 'error', '-m', 'unittest', '-v'], { MAYFLY_TEST_CERTIFICATES: directory });
    expect(told).toMatch(/^Ran \d+ tests[^]*\nOK/m);
    // The next test has the packages that these need.
    for (const [, reason = ''] of told.matchAll(/skipped '(.*)'/g)) {
      if (!/^(mcp|langchain_mcp_adapters|boto3|jwt) /.test(reason)) console.warn(`Left out of sdk/python: ${reason}`);
    }
  }, 240_000);

  // The first MCP SDK and the second cannot be installed together. pip fetches nothing: it says whether the extra is satisfied.
  for (const [extras, packages, missing, more] of [
    ['aws,mcp,verifier', 'examples', 'langchain_mcp_adapters', ['verifier_rules', 'verifier']],
    ['langchain,mcp,verifier', 'examples/langchain', 'boto3', []],
  ] as const) {
    const isThere = existsSync(packagesOf(packages));
    if (!isThere)
      console.warn(`Left out of sdk/python: [${extras}], because the packages of ${packages} were not fetched.`);
    (isThere ? it : it.skip)(
      `works with the extras [${extras}] and the packages of ${packages}`,
      () => {
        const env = { PYTHONPATH: packagesOf(packages) };
        run(ofVenv, ['-m', 'pip', 'install', '--quiet', '--no-index', `${wheel}[${extras}]`], env);
        const modules = ['mcp', 'boto3', ...more].map((name) => `tests.test_${name}`);
        const told = run(ofVenv, ['-m', 'unittest', '-v', ...modules], env);
        expect(told).toMatch(/^Ran \d+ tests [^]*\nOK \(skipped=1\)\n$/m);
        expect(told).toContain(`skipped '${missing} is not installed'`);
      },
      240_000,
    );
  }
});
