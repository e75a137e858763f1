// Python for the tests of sdk/python: which interpreter, and the wheels that it needs and that no test may fetch by itself.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const REQUIREMENTS = fileURLToPath(new URL('../sdk/python/tests/requirements.txt', import.meta.url));
/** Where the wheels lie once they were fetched. */
export const WHEELS = fileURLToPath(new URL('../node_modules/.cache/mayfly-python', import.meta.url));

const USABLE = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))';
const NAMES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

/** Returns the command of a Python ≥ 3.10 that can make virtual environments; undefined where there is none. */
export const findPython = () => NAMES.find((name) => spawnSync(name, ['-c', USABLE]).status === 0);

export const hasWheels = () => existsSync(WHEELS);

/** Fetches the wheels, by their hashes, unless they are there. Without Python or network it does nothing. */
export function fetchWheels() {
  const python = findPython();
  if (python === undefined || hasWheels()) return;
  mkdirSync(WHEELS, { recursive: true });
  const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes', '--dest', WHEELS];
  const { status } = spawnSync(python, ['-m', 'pip', 'download', ...options, '--requirement', REQUIREMENTS], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) rmSync(WHEELS, { recursive: true, force: true });
}
