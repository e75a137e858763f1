/** Makes a key document the public keys that may verify signatures. */
import { createLocalJWKSet } from 'jose';
import { readKeyDocument, type KeyDocumentKind } from '../config/key-document.js';

/** The keys of an issuer. Callers compare it by identity: another object means that the keys changed. */
export interface KeySet {
  /** Finds the key by `alg` and `kid`. Rejects with an error of jose where there is none, or more than one. */
  find: ReturnType<typeof createLocalJWKSet>;
}

/** Throws when the document as a whole cannot be trusted. A single unfit key is left out. */
export function readKeySet(text: string, kind: KeyDocumentKind): KeySet {
  const document = readKeyDocument(text, kind);
  if ('problem' in document) throw new Error(`the key document ${document.problem}`);
  return { find: createLocalJWKSet({ keys: document.keys }) };
}
