/** Files that the package brings along: the configuration for newcomers, the documentation, and its own version. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @param path below the root of the package, such as `docs/errors.md` */
export const packageFile = (path: string): string => join(packageRoot(), path);

/** Returns the version that package.json says. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string };
  return version;
}

/** Returns the root of the package. The compiled file lies deeper than the source, so the root is looked for upwards. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error('not installed as a package');
    directory = parent;
  }
  return directory;
}
