/** Where the text of a key document comes from: a file, a URL, or what the issuer's discovery document names. */
import { defined } from '../domain/defined.js';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { KeySource } from '../config/schema.js';
import { fetchText, type FetchOptions } from './fetch-text.js';
import { readDocument } from './json-object.js';

export interface KeyDocument {
  read(): Promise<string>;
  /** How long what was read is taken without looking again. */
  freshForMs: number;
}

const FILE_FRESH_FOR_MS = 1_000;
const URL_FRESH_FOR_MS = 600_000;
const FETCH_LIMIT_MS = 2_000;

/** @param baseDirectory what relative paths are relative to */
export function keyDocument(source: KeySource, baseDirectory: string): KeyDocument {
  const text = (path: string) => readFile(resolve(baseDirectory, path), 'utf8');
  if ('file' in source) return { read: () => text(source.file), freshForMs: FILE_FRESH_FOR_MS };
  const read = async () => {
    // Kubernetes renews both files under a running process.
    const ca = source.ca === undefined ? undefined : await text(source.ca);
    const bearer = source.bearerFile === undefined ? undefined : (await text(source.bearerFile)).trim();
    return fetchText(
      source.url,
      defined({
        ...limits(),
        ca,
        bearer,
      }),
    );
  };
  return { read, freshForMs: URL_FRESH_FOR_MS };
}

/** OpenID Connect Discovery 1.0 §4. */
export function discoveredKeyDocument(issuer: string): KeyDocument {
  const read = async () => {
    const options = limits();
    const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
    const metadata = readDocument(await fetchText(address, options));
    // A document that speaks for another issuer was served by, or for, somebody else (§4.3).
    if (metadata['issuer'] !== issuer) throw new Error('discovery answered for another issuer');
    const { jwks_uri: keys } = metadata;
    if (typeof keys !== 'string') throw new Error('discovery names no jwks_uri');
    return fetchText(keys, options);
  };
  return { read, freshForMs: URL_FRESH_FOR_MS };
}

const limits = (): FetchOptions => ({ signal: AbortSignal.timeout(FETCH_LIMIT_MS) });
