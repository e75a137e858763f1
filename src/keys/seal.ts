/**
 * Seals private keys for the store: JWE, encrypted directly with the key-encryption key (`dir`, A256GCM; RFC 7516, RFC 7518
 * §4.5).
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, compactDecrypt, CompactEncrypt, exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';
import type { PublicJwk } from '../protocol/jwks.js';
import type { SealedKey } from './ring.js';

const privateJwkSchema = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});

/** An unsealed signing key. */
export interface OpenKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: PublicJwk;
}

/** Generates an ES256 key and seals it. */
export async function sealedKey(keyEncryptionKey: Uint8Array): Promise<SealedKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const sealed = await new CompactEncrypt(new TextEncoder().encode(JSON.stringify(jwk)))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid })
    .encrypt(keyEncryptionKey);
  return { kid, sealed };
}

/** Throws when the key was sealed with another key-encryption key, or is not the key that its `kid` names. */
export async function unseal({ kid, sealed }: SealedKey, keyEncryptionKey: Uint8Array): Promise<OpenKey> {
  const { d, ...publicPart } = await decrypt(sealed, keyEncryptionKey);
  // Without this check somebody who can write to the store could put one sealed key in the place of another.
  if ((await calculateJwkThumbprint(publicPart)) !== kid) throw new Error('a sealed signing key is not what it says');
  const jwk: PublicJwk = { ...publicPart, kid, use: 'sig', alg: 'ES256' };
  const privateKey = createPrivateKey({ key: { ...publicPart, d }, format: 'jwk' });
  return { kid, jwk, privateKey, publicKey: createPublicKey({ key: publicPart, format: 'jwk' }) };
}

async function decrypt(sealed: string, keyEncryptionKey: Uint8Array): Promise<z.infer<typeof privateJwkSchema>> {
  try {
    const { plaintext } = await compactDecrypt(sealed, keyEncryptionKey, {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return privateJwkSchema.parse(JSON.parse(new TextDecoder().decode(plaintext)));
  } catch {
    // The error carries no cause: the message of a parser may quote what it could not parse, here a private key.
    throw new Error(
      'The signing keys in the store do not open with this key-encryption key. Start with the key they were sealed with.',
    );
  }
}
