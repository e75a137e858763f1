// Checks all types, compiles everything to dist and the packages for others to sdk/, and copies what the compiler does not: the Lua scripts.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = fileURLToPath(new URL('../node_modules/@typescript/native/bin/tsc', import.meta.url));
// The container image is built from src alone. Demo and benchmark, which need fakes/aws, are left out there.
const project = existsSync(`${root}fakes`) ? 'tsconfig.json' : 'scripts/tsconfig.src.json';
// What others import is compiled apart, for packages of their own: client and verifier, with their types and what they need of src.
// They come first, because the examples import them as others do.
build('scripts/tsconfig.client.json', {
  from: 'src/',
  into: 'sdk/typescript/dist/',
  noted: 'dist/.tsbuildinfo-client',
});
build('scripts/tsconfig.verifier.json', {
  from: 'src/',
  into: 'sdk/verifier/dist/',
  noted: 'dist/.tsbuildinfo-verifier',
});
build(project, { from: '', into: 'dist/', noted: 'dist/.tsbuildinfo' });

const isDirectoryOrLua = (path) => !/\.[^/\\]+$/.test(path.replace(/^.*[/\\]/, '')) || path.endsWith('.lua');
const scripts = 'src/store/redis';
if (existsSync(`${root}${scripts}`)) {
  cpSync(`${root}${scripts}`, `${root}dist/${scripts}`, { recursive: true, filter: isDirectoryOrLua });
}

// npx makes the command executable only the first time it sees this checkout.
chmodSync(`${root}dist/src/cli/main.js`, 0o755);

/**
 * Compiles what has changed since the last build, as the compiler has noted it. A build without changes writes nothing, so it
 * disturbs nobody who reads meanwhile.
 */
function build(config, { from, into, noted }) {
  if (!existsSync(`${root}${into}`)) rmSync(`${root}${noted}`, { force: true });
  const options = ['-p', config, '--incremental', '--tsBuildInfoFile', noted];
  const compiled = spawnSync(process.execPath, [compiler, ...options], { cwd: root, stdio: 'inherit' });
  if (compiled.status !== 0) process.exit(compiled.status ?? 1);

  // What was compiled from a file that is not compiled any more would be shipped for ever.
  const { fileNames } = JSON.parse(readFileSync(`${root}${noted}`, 'utf8'));
  const kept = new Set(fileNames.map((name) => join(root, dirname(noted), name).replace(/\.m?ts$/, '')));
  for (const name of readdirSync(`${root}${into}`, { recursive: true })) {
    const [, path] = /^(.*)\.(?:m?js|m?js\.map|d\.ts)$/.exec(name) ?? [];
    if (path !== undefined && !kept.has(join(root, from, path))) rmSync(join(root, into, name));
  }
}
