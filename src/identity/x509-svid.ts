/** Whether a certificate that a trust domain vouches for is that of one workload (X509-SVID §2 and §5). */
import { X509Certificate } from 'node:crypto';

class NotThatWorkload extends Error {
  override name = 'NotThatWorkload';
  readonly code = 'SPIFFE_ID_MISMATCH';
}

/**
 * Returns an error unless the certificate says this SPIFFE ID and no other, and is no certificate authority, which could say
 * any. Its chain is verified elsewhere; host names in it say nothing.
 * @param der the certificate
 */
export function svidProblem(der: Uint8Array, id: string): Error | undefined {
  const { ca, subjectAltName = '' } = new X509Certificate(der);
  // Node puts a name with special characters into quotes, where a comma divides nothing. No SPIFFE ID has such a character.
  const names = subjectAltName.includes('"') ? [] : subjectAltName.split(', ');
  const uris = names.filter((name) => name.startsWith('URI:'));
  const isIt = !ca && uris.length === 1 && uris[0] === `URI:${id}`;
  return isIt ? undefined : new NotThatWorkload('The server is another workload.');
}
