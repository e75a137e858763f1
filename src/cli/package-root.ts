/** Where this package is installed: the commands for newcomers use the configuration it brings along. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const developmentConfig = (): string => join(packageRoot(), 'config', 'development.yaml');

/** The compiled file lies deeper than the source: look upwards. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error('not installed as a package');
    directory = parent;
  }
  return directory;
}
