/** What a SPIFFE bundle says besides the keys of JWT-SVIDs (SPIFFE Trust Domain and Bundle §4). */
import { X509Certificate } from 'node:crypto';
import { defined } from '../domain/defined.js';
import { isObject, readDocument } from '../domain/json-object.js';
import { readKeyDocument } from './key-document.js';

export interface Bundle {
  /** The certificates, in PEM, that vouch for X.509-SVIDs of the trust domain. They verify the server of a bundle, and no token. */
  authorities: string[];
  /** Rises with each change of the bundle. */
  sequence?: number;
  /** How often the trust domain wants its bundle to be read again. */
  refreshHintSeconds?: number;
}

/** Returns the bundle, or why nothing in it is believed: the end of "the file …". */
export function readBundle(text: string): Bundle | { problem: string } {
  const document = readKeyDocument(text, 'spiffe-bundle');
  if ('problem' in document) return document;
  const { keys, spiffe_sequence: sequence, spiffe_refresh_hint: hint } = readDocument(text);
  const entries: unknown[] = Array.isArray(keys) ? keys : [];
  return defined({
    authorities: entries.flatMap((key) => authorityOf(key) ?? []),
    sequence: wholeNumber(sequence),
    refreshHintSeconds: wholeNumber(hint),
  });
}

/** Returns what is wrong with a bundle that shall verify the server of another one. */
export function bootstrapProblem(text: string): string | undefined {
  const bundle = readBundle(text);
  if ('problem' in bundle) return bundle.problem;
  return bundle.authorities.length > 0
    ? undefined
    : 'has no certificate of an authority (`use: x509-svid`): no endpoint could be verified';
}

/** Returns the certificate of a key for X.509-SVIDs; undefined for any other key. */
function authorityOf(key: unknown): string | undefined {
  const chain: unknown = isObject(key) && key['use'] === 'x509-svid' ? key['x5c'] : undefined;
  // X509-SVID §6.2: exactly one certificate.
  const encoded: unknown = Array.isArray(chain) && chain.length === 1 ? chain[0] : undefined;
  if (typeof encoded !== 'string') return undefined;
  try {
    const certificate = new X509Certificate(Buffer.from(encoded, 'base64'));
    return certificate.ca ? certificate.toString() : undefined;
  } catch {
    return undefined;
  }
}

const wholeNumber = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
