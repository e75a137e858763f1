/** What is wrong with the text of a file that a connection needs, as the end of "the file …". Nothing of the text is repeated. */
import { X509Certificate } from 'node:crypto';
import { readObject } from '../domain/json-object.js';
import { formOf } from './key-document.js';

const CERTIFICATES = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \1-----/g;

export function certificatesProblem(text: string): string | undefined {
  const blocks = text.match(CERTIFICATES);
  if (blocks === null) return `${otherThanCertificates(text)}; certificates in PEM are needed`;
  return blocks.every(isCertificate) ? undefined : 'has a certificate that cannot be read';
}

function otherThanCertificates(text: string): string {
  if (readObject(text)) return 'is JSON';
  return text.includes('PRIVATE KEY-----') ? 'has a private key and no certificate' : formOf(text);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** The secret of a client is sent as it stands, without the line end of its file. */
export const secretProblem = (text: string): string | undefined =>
  /^[\x20-\x7e]+$/.test(text.trim()) ? undefined : 'must hold one line: the client secret';

/** A bearer token is sent in a header: one word. */
export function bearerProblem(text: string): string | undefined {
  const token = text.trim();
  if (token === '') return 'is empty; a token is needed';
  return /^[\x21-\x7e]+$/.test(token) ? undefined : 'must hold one token and nothing else, also not the word Bearer';
}
