/**
 * Signs at once, on this thread: handing an ES256 signature to another thread and back, as Web Crypto must, costs as much
 * again as the signature (docs/performance.md). Everything else about JWTs is left to jose.
 */
import { sign, type KeyObject } from 'node:crypto';

/** A compact JWS (RFC 7515 §7.1) by ES256 (RFC 7518 §3.4: the two numbers side by side, not DER). */
export function signedJws(header: { typ: string; kid: string }, payload: object, key: KeyObject): string {
  const input = `${encoded({ alg: 'ES256', ...header })}.${encoded(payload)}`;
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
