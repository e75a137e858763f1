// npm start: a broker to try out. Builds if the sources are newer, creates the development issuer, starts, prints what to do next.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const development = join(root, 'config', 'development.yaml');
const config = process.env.MAYFLY_CONFIG || development;

buildIfStale();
if (config === development) await makeIssuer();

const broker = spawn(process.execPath, [join(root, 'dist/src/main.js')], {
  stdio: ['inherit', 'pipe', 'inherit'],
  env: { ...process.env, MAYFLY_CONFIG: config },
});
broker.stdout.pipe(process.stdout);
let ready = false;
// The broker itself logs that it is ready. An answer at its port proves nothing: another broker may be listening there.
createInterface({ input: broker.stdout }).on('line', (line) => {
  if (ready || !line.includes('"msg":"ready"')) return;
  ready = true;
  if (config === development) sayWhatIsNext();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => broker.kill(signal));
broker.on('close', (code, signal) => {
  if (!ready && code) sayWhyNot();
  process.exit(code ?? (signal ? 1 : 0));
});

function buildIfStale() {
  const stamp = join(root, 'dist/.tsbuildinfo');
  if (modified(stamp) > newest(join(root, 'src'))) return;
  const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (built.status !== 0) process.exit(built.status ?? 1);
  utimesSync(stamp, new Date(), new Date()); // The compiler does not touch it when its output is the same.
}

function newest(directory) {
  const times = readdirSync(directory, { recursive: true }).map((name) => modified(join(directory, name)));
  return Math.max(...times);
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

async function makeIssuer() {
  const { openDevIssuer } = await import('../dist/src/cli/dev-issuer.js');
  await openDevIssuer(join(root, 'data/dev-issuer/jwks.json'));
}

function sayWhyNot() {
  console.error(`
The broker did not start; the line above says why. If another one is running here already, use that one,
or end it (Ctrl-C in its terminal) and run npm start again.`);
}

function sayWhatIsNext() {
  console.log(`
Ready. In another terminal:

  curl -s http://127.0.0.1:8080/token \\
    -d grant_type=urn:ietf:params:oauth:grant-type:token-exchange \\
    -d subject_token_type=urn:ietf:params:oauth:token-type:jwt \\
    -d subject_token="$(npx mayfly dev-token --sub agent-7 --team sre)" \\
    -d resource=https://tickets.example -d scope=incident/4711:read -d purpose=summarise
`);
}
