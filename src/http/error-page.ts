/** GET /errors: the documentation of every refusal, which `error_uri` points to. */
import { readFile } from 'node:fs/promises';
import { packageFile } from '../config/package-file.js';
import { BrokerError } from '../domain/errors.js';
import { described, type Contract } from './wire/contract.js';

const HEADERS = { 'Content-Type': 'text/markdown; charset=utf-8', 'Cache-Control': 'public, max-age=300' };

const contract: Contract = {
  summary: 'Explains every refusal, for people: `error_uri` and `type` point here.',
  proof: 'none',
  answers: { 200: { 'text/markdown': 'The page [errors.md](errors.md).' } },
  refusals: ['not_found'],
};

export const errorPage = described(contract, async () => {
  const body = await readFile(packageFile('docs/errors.md'), 'utf8').catch((cause: unknown) => {
    throw new BrokerError('not_found', 'The documentation was not installed with this broker.', { cause });
  });
  return { status: 200, headers: HEADERS, body };
});
