// Runs the tests: installs redis-server if it is missing and that takes no password, then runs jest with the given arguments.
// Tests start servers of their own, so `redis-server` is needed even when TEST_REDIS_URL names a further one. What the tests in
// Python need is fetched here, because no test reaches beyond this machine.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fetchForPython } from './python.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const runs = (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0;
const hasRedis = () => runs('redis-server', '--version');

if (!hasRedis()) installRedis();
if (!hasRedis()) {
  console.error(
    'The tests need redis-server 7 or later: `apt-get install redis-server` or `brew install redis`, then run them again.',
  );
  process.exit(1);
}

fetchForPython();

const jest = fileURLToPath(new URL('../node_modules/jest/bin/jest.js', import.meta.url));
// Each test file loads all modules anew: with room for them, a sixteenth of the time is not spent on collecting what is young.
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', '--max-semi-space-size=64'];
const options = [process.env.NODE_OPTIONS, ...flags.filter(isKnown)].filter(Boolean).join(' ');
const tested = spawnSync(process.execPath, [jest, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, NODE_OPTIONS: options },
});
process.exit(tested.status ?? 1);

/** Installs redis-server on Debian and its derivatives, as root or with a sudo that needs no password. The system's Redis is not started. */
function installRedis() {
  if (!existsSync('/etc/debian_version')) return;
  const asRoot = process.getuid() === 0 ? [] : ['sudo', '-n'];
  if (asRoot.length > 0 && !runs(...asRoot, 'true')) return;
  console.error('Installing redis-server for the tests.');
  const apt = (...args) => {
    const command = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'RUNLEVEL=1', 'apt-get', '-q', ...args];
    spawnSync(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  apt('update');
  apt('install', '-y', '--no-install-recommends', 'redis-server');
}

/** Whether this Node knows the option. Without --disable-warning the warning about VM modules stays. */
function isKnown(flag) {
  return process.allowedNodeEnvironmentFlags.has(flag.split('=')[0]);
}
