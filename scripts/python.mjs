// Python for the tests: which interpreter, and the packages that they need and that no test may fetch by itself.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

const NAMES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

/** Returns the command of a Python ≥ 3.10 that has these modules; undefined where there is none. Without `modules`: to make virtual environments. */
export function findPython(modules = ['venv', 'ensurepip']) {
  const usable = `import ${['sys', ...modules].join(', ')}; sys.exit(sys.version_info < (3, 10))`;
  return NAMES.find((name) => spawnSync(name, ['-c', usable]).status === 0);
}

/** Returns where the packages of `<folder>/requirements.txt` are, once they were fetched. Another content is another place. */
export function packagesOf(folder) {
  const digest = createHash('sha256')
    .update(readFileSync(requirementsOf(folder)))
    .digest('hex');
  return at(`node_modules/.cache/mayfly-python/${folder.replaceAll('/', '-')}-${digest.slice(0, 12)}`);
}
const requirementsOf = (folder) => at(`${folder}/requirements.txt`);

/** The wheels for the tests of sdk/python, which install them into an environment of their own. */
export const WHEELS = packagesOf('sdk/python/tests');
/** What test/interop/python imports, installed. */
export const PACKAGES = packagesOf('test/interop/python');
export const hasWheels = () => existsSync(WHEELS);
export const hasPackages = () => existsSync(PACKAGES);
/** What the recipes of examples import, installed. Frameworks that need the first MCP SDK have a place of their own. */
const RECIPES = ['examples', 'examples/langchain'];
/** Temporal's test server, for the recipe for Temporal. */
export const TEMPORAL_JARS = at('node_modules/.cache/mayfly-temporal');
/** Spring Boot, and what `go build` has compiled, for the programs in docs/resource-servers.md. */
export const SPRING_JARS = at('node_modules/.cache/mayfly-spring');
export const GO_CACHE = at('node_modules/.cache/mayfly-go');

/** Fetches all that `npm test` uses, by the hashes, unless it is there. Without Python or network it does nothing. */
export function fetchForPython() {
  fetched(['download', '--dest'], 'sdk/python/tests');
  for (const folder of ['test/interop/python', ...RECIPES]) fetchPackages(folder);
}

/** Installs the packages of a folder where `packagesOf` says. Returns whether they are there. */
export const fetchPackages = (folder) =>
  fetched(['install', '--no-compile', '--root-user-action=ignore', '--target'], folder);

function fetched(command, folder) {
  const [python, directory] = [findPython(), packagesOf(folder)];
  if (python === undefined || existsSync(directory)) return python !== undefined;
  mkdirSync(directory, { recursive: true });
  const options = ['--quiet', '--no-deps', '--only-binary', ':all:', '--require-hashes'];
  const args = ['-m', 'pip', ...command, directory, ...options, '--requirement', requirementsOf(folder)];
  const { status } = spawnSync(python, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) rmSync(directory, { recursive: true, force: true });
  return status === 0;
}
