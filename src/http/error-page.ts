/** GET /errors: what `error_uri` points to, the documentation of every refusal. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BrokerError } from '../domain/errors.js';
import type { Handle } from './wire/endpoint.js';

const HEADERS = { 'Content-Type': 'text/markdown; charset=utf-8', 'Cache-Control': 'public, max-age=300' };

export const errorPage: Handle = async () => {
  const body = await readFile(join(packageRoot(), 'docs', 'errors.md'), 'utf8').catch((cause: unknown) => {
    throw new BrokerError('not_found', 'The documentation was not installed with this broker.', { cause });
  });
  return { status: 200, headers: HEADERS, body };
};

/** The compiled file lies deeper than the source: look upwards. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json')) && dirname(directory) !== directory)
    directory = dirname(directory);
  return directory;
}
