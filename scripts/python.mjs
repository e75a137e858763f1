// Python for the tests: which interpreter, and the packages that they need and that no test may fetch by itself.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** The wheels for the tests of sdk/python, which install them into an environment of their own. */
export const WHEELS = at('node_modules/.cache/mayfly-python');
/** What test/interop/python imports, installed. */
export const PACKAGES = at('node_modules/.cache/mayfly-python-clients');

const NAMES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

/** Returns the command of a Python ≥ 3.10 that has these modules; undefined where there is none. Without `modules`: to make virtual environments. */
export function findPython(modules = ['venv', 'ensurepip']) {
  const usable = `import ${['sys', ...modules].join(', ')}; sys.exit(sys.version_info < (3, 10))`;
  return NAMES.find((name) => spawnSync(name, ['-c', usable]).status === 0);
}

export const hasWheels = () => existsSync(WHEELS);
export const hasPackages = () => existsSync(PACKAGES);

/** Fetches all that, by the hashes, unless it is there. Without Python or network it does nothing. */
export function fetchForPython() {
  const python = findPython();
  if (python === undefined) return;
  fetched(python, ['download', '--dest', WHEELS], { directory: WHEELS, for: 'sdk/python/tests' });
  fetched(python, ['install', '--target', PACKAGES], { directory: PACKAGES, for: 'test/interop/python' });
}

function fetched(python, command, wanted) {
  if (existsSync(wanted.directory)) return;
  mkdirSync(wanted.directory, { recursive: true });
  const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes'];
  const requirements = at(`${wanted.for}/requirements.txt`);
  const { status } = spawnSync(python, ['-m', 'pip', ...command, ...options, '--requirement', requirements], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) rmSync(wanted.directory, { recursive: true, force: true });
}
