// Checks all types, compiles everything to dist and the packages for others to sdk/, and copies what the compiler does not: the Lua scripts.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const compiler = fileURLToPath(new URL('../node_modules/@typescript/native/bin/tsc', import.meta.url));
// The container image is built from src alone. Demo and benchmark, which need fakes/aws, are left out there.
const project = existsSync(`${root}fakes`) ? 'tsconfig.json' : 'scripts/tsconfig.src.json';
// What others import is compiled apart, for packages of their own: client and verifier, with their types and what they need of src.
// They come first, because the examples import them as others do.
for (const sdk of ['typescript', 'verifier']) rmSync(`${root}sdk/${sdk}/dist`, { recursive: true, force: true });
for (const each of ['scripts/tsconfig.client.json', 'scripts/tsconfig.verifier.json', project]) {
  const compiled = spawnSync(process.execPath, [compiler, '-p', each], { cwd: root, stdio: 'inherit' });
  if (compiled.status !== 0) process.exit(compiled.status ?? 1);
}

// What was compiled from a file that has moved or gone since would be shipped for ever.
for (const name of readdirSync(`${root}dist`, { recursive: true })) {
  const [, path] = /^(.*)\.js(?:\.map)?$/.exec(name.replaceAll('\\', '/')) ?? [];
  const isStale = path !== undefined && !existsSync(`${root}${path}.ts`) && !existsSync(`${root}${path}.mts`);
  if (isStale) rmSync(`${root}dist/${name}`);
}

const isDirectoryOrLua = (path) => !/\.[^/\\]+$/.test(path.replace(/^.*[/\\]/, '')) || path.endsWith('.lua');
const scripts = 'src/store/redis';
if (existsSync(`${root}${scripts}`)) {
  cpSync(`${root}${scripts}`, `${root}dist/${scripts}`, { recursive: true, filter: isDirectoryOrLua });
}

// npx makes the command executable only the first time it sees this checkout.
chmodSync(`${root}dist/src/cli/main.js`, 0o755);
