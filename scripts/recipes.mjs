// `npm run test:recipes`: fetches what the recipes for Temporal and Airflow need, which is too much for `npm test`, and runs the tests
// of the recipes with it. Temporal's own test server comes from Maven, so it needs `java` and `mvn`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fetchPackages, TEMPORAL_JARS } from './python.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

for (const folder of ['examples/temporal', 'examples/airflow']) fetchPackages(folder);
const arguments_ = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${TEMPORAL_JARS}`];
const maven = spawnSync('mvn', arguments_, {
  cwd: at('test/interop/temporal'),
  stdio: ['ignore', 'inherit', 'inherit'],
});
if (maven.status !== 0) console.error(`The test server of Temporal: ${maven.error?.message ?? 'mvn failed'}`);

const tests = [at('scripts/test.mjs'), 'test/examples', ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, tests, { stdio: 'inherit' }).status ?? 1);
