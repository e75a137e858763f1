/**
 * Signs on this thread. Web Crypto signs on another thread, and the way there and back costs as much again as an ES256
 * signature (docs/performance.md). jose does everything else about JWTs.
 */
import { sign, type KeyObject } from 'node:crypto';

/**
 * Returns a compact JWS (RFC 7515 §7.1), signed with ES256. The signature is the two numbers side by side, not DER (RFC
 * 7518 §3.4).
 */
export function signedJws(header: { typ: string; kid: string }, payload: object, key: KeyObject): string {
  const input = `${encoded({ alg: 'ES256', ...header })}.${encoded(payload)}`;
  const signature = sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
