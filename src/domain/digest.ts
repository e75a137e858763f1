/** SHA-256, in the two forms that keys, proofs and records use. */
import { hash } from 'node:crypto';

/** Returns the SHA-256 as base64url, without padding. */
export const sha256 = (of: string | Uint8Array): string => hash('sha256', of, 'base64url');

export const sha256Bytes = (of: string): Buffer => hash('sha256', of, 'buffer');
