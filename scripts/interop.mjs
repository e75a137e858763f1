// `npm run test:interop`: builds the clients in Go and Java of test/interop, as far as `go`, and `java` with `mvn`, are on PATH, and
// runs the tests of stock clients with them. `npm test` runs those tests without the two, because they are built from the network.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const CACHE = at('node_modules/.cache/mayfly-interop');

/** Returns whether it was built. */
function built(folder, command, ...args) {
  // A network that does not answer must not hold this up.
  const options = { cwd: at(`test/interop/${folder}`), stdio: ['ignore', 'inherit', 'inherit'], timeout: 300_000 };
  const { status, error } = spawnSync(command, args, options);
  if (status !== 0) console.error(`${command} ${args[0]}: ${error?.message ?? 'failed'}`);
  return status === 0;
}

const program = `${CACHE}/go-client`;
const jars = `${CACHE}/jars`;
const env = {
  ...process.env,
  ...(built('go', 'go', 'build', '-o', program, '.') && { TEST_GO_CLIENT: program }),
  ...(built('java', 'mvn', '-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`) && {
    TEST_JARS: jars,
  }),
};
const tests = [at('scripts/test.mjs'), 'test/http/stock-clients', 'test/http/mcp-clients'];
process.exit(spawnSync(process.execPath, tests, { stdio: 'inherit', env }).status ?? 1);
