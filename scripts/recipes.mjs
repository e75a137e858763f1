// `npm run test:recipes`: fetches what the recipes for Temporal, Airflow and Spring need, which is too much for `npm test`, and runs the
// tests of the recipes with it. Temporal's own test server and Spring come from Maven, so they need `java` and `mvn`. Where there is
// `go`, the recipe in Go is run too.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fetchPackages, GO_CACHE, SPRING_JARS, TEMPORAL_JARS } from './python.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

for (const folder of ['examples/temporal', 'examples/airflow']) fetchPackages(folder);
for (const [folder, jars] of [
  ['temporal', TEMPORAL_JARS],
  ['spring', SPRING_JARS],
]) {
  const maven = spawnSync('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`], {
    cwd: at(`test/interop/${folder}`),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (maven.status !== 0) console.error(`What is needed for ${folder}: ${maven.error?.message ?? 'mvn failed'}`);
}
if (spawnSync('go', ['version']).status === 0) mkdirSync(GO_CACHE, { recursive: true });

const tests = [at('scripts/test.mjs'), 'test/examples', ...process.argv.slice(2)];
process.exit(spawnSync(process.execPath, tests, { stdio: 'inherit' }).status ?? 1);
