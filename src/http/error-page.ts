/** GET /errors: the documentation of every refusal, which `error_uri` points to. */
import { readFile } from 'node:fs/promises';
import { packageFile } from '../config/package-file.js';
import { BrokerError } from '../domain/errors.js';
import type { Handle } from './wire/endpoint.js';

const HEADERS = { 'Content-Type': 'text/markdown; charset=utf-8', 'Cache-Control': 'public, max-age=300' };

export const errorPage: Handle = async () => {
  const body = await readFile(packageFile('docs/errors.md'), 'utf8').catch((cause: unknown) => {
    throw new BrokerError('not_found', 'The documentation was not installed with this broker.', { cause });
  });
  return { status: 200, headers: HEADERS, body };
};
