/** Endpoint detection and response: watches the machines that agents run on, and signs what it finds (RFC 8417, CAEP, RISC). */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface Edr {
  /** As the configuration of a broker names it. */
  transmitter: object;
  /** A Security Event Token about `lab:<agent>`: whose event, by its path below `schemas.openid.net/secevent/`, and what it says. */
  event(agent: string, path: string, facts: object): Promise<string>;
}

const KID = 'edr';
const ISSUER = 'https://edr.example';
const AUDIENCE = 'https://mayfly.example/signals';

/** @param labUrl The issuer that the agents have their identity from. */
export async function openEdr(directory: string, labUrl: string): Promise<Edr> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: KID, alg: 'ES256', use: 'sig' };
  const file = join(directory, 'edr.jwks.json');
  writeFileSync(file, JSON.stringify({ keys: [jwk] }));
  return {
    transmitter: { name: 'edr', issuer: ISSUER, audience: AUDIENCE, jwks: { file }, about: ['lab'] },
    event: (agent, path, facts) =>
      new SignJWT({
        sub_id: { format: 'iss_sub', iss: labUrl, sub: agent },
        events: { [`https://schemas.openid.net/secevent/${path}`]: facts },
      })
        .setProtectedHeader({ alg: 'ES256', kid: KID, typ: 'secevent+jwt' })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setIssuedAt()
        .setJti(randomUUID())
        .sign(privateKey),
  };
}
