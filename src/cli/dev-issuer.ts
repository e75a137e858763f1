/** An OIDC issuer for development only: a private key (mode 0600) beside the JWKS that the configuration names. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  SignJWT,
  type JWK,
  type JWTPayload,
} from 'jose';
import { errorCode } from '../domain/error-code.js';
import { toSeconds, type SystemClock } from '../domain/time.js';

interface DevIssuer {
  sign(claims: JWTPayload, ttlSeconds: number, clock: SystemClock): Promise<string>;
}

const ALGORITHM = 'ES256';

/** Creates both files when neither exists. */
export async function openDevIssuer(jwksFile: string): Promise<DevIssuer> {
  const jwk = await privateKey(join(dirname(jwksFile), 'private.jwk.json'), jwksFile);
  const key = await importJWK(jwk, ALGORITHM);
  const header = { alg: ALGORITHM, typ: 'JWT', kid: jwk.kid ?? '' };
  return {
    sign: (claims, ttlSeconds, clock) => {
      const now = toSeconds(clock.reading());
      const times = { iat: now, exp: now + ttlSeconds };
      return new SignJWT({ ...claims, ...times }).setProtectedHeader(header).sign(key);
    },
  };
}

async function privateKey(file: string, jwksFile: string): Promise<JWK> {
  const there = await textOf(file);
  if (there === undefined && (await textOf(jwksFile)) !== undefined) {
    // The JWKS belongs to another issuer. Replacing its keys would take over an issuer that the broker trusts.
    throw new Error(`${jwksFile} is not of a development issuer: ${file} is missing.`);
  }
  if (there === undefined) await create(file);
  const jwk = JSON.parse(there ?? (await readFile(file, 'utf8'))) as JWK;
  await writeFile(jwksFile, `${JSON.stringify({ keys: [publicHalf(jwk)] }, null, 2)}\n`, { flag: 'wx' }).catch(
    unlessThere,
  );
  return jwk;
}

async function create(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const pair = await generateKeyPair(ALGORITHM, { extractable: true });
  const jwk = { ...(await exportJWK(pair.privateKey)), alg: ALGORITHM, use: 'sig' };
  const named = { ...jwk, kid: await calculateJwkThumbprint(jwk) };
  await writeFile(file, `${JSON.stringify(named, null, 2)}\n`, { flag: 'wx', mode: 0o600 }).catch(unlessThere);
}

const publicHalf = ({ kty, crv, x, y, kid, alg, use }: JWK) => ({ kty, crv, x, y, kid, alg, use });

const textOf = (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });

/** Ignores that the file exists: another command created it first, and its file is kept. */
function unlessThere(error: unknown): void {
  if (errorCode(error) !== 'EEXIST') throw error;
}
