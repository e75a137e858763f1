// npm start: a broker for trying out. Builds what is stale, makes the development issuer, starts, says what to do next.
import { spawn, spawnSync } from 'node:child_process';
import { readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const development = join(root, 'config', 'development.yaml');
const config = process.env.MAYFLY_CONFIG || development;

buildIfStale();
if (config === development) await makeIssuer();

const broker = spawn(process.execPath, [join(root, 'dist/src/main.js')], {
  stdio: 'inherit',
  env: { ...process.env, MAYFLY_CONFIG: config },
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => broker.kill(signal));
broker.on('exit', (code, signal) => process.exit(code ?? (signal ? 1 : 0)));
if (config === development && (await isReady())) sayWhatIsNext();

function buildIfStale() {
  const stamp = join(root, 'dist/.tsbuildinfo');
  if (modified(stamp) > newest(join(root, 'src'))) return;
  const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit' });
  if (built.status !== 0) process.exit(built.status ?? 1);
  utimesSync(stamp, new Date(), new Date()); // The compiler leaves it alone when nothing came out differently.
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

/** False after ten seconds: the broker's log says why. */
async function isReady() {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await fetch('http://127.0.0.1:9090/health/ready').catch(() => undefined);
    if (answer?.ok) return true;
    await pause(50);
  }
  return false;
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
