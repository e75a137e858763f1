/** A transmitter of security events, and what it pushes, signed ahead of time: the load generator must not pay for signatures. */
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JWK } from 'jose';
import { LAB } from '../broker.js';
import { many } from '../issuer.js';

export interface Transmitter {
  name: string;
  issuer: string;
  publicJwk: JWK;
  /** Security Event Tokens, each with its own `jti`, about workloads of the lab. */
  events(count: number, type: EventType, subOf: (index: number) => string): Promise<string[]>;
}

/** The broker of this benchmark only records the first event; the second holds its workload. */
export const EVENTS = { recorded: 'session-revoked', held: 'risk-level-change' } as const;
export type EventType = keyof typeof EVENTS;

export const SIGNALS = 'urn:bench:signals';

export async function createTransmitter(alg: 'RS256' | 'ES256'): Promise<Transmitter> {
  const { privateKey, publicKey } = await generateKeyPair(alg);
  const name = alg.toLowerCase();
  const issuer = `https://${name}.transmitter.example`;
  const event = (type: EventType, sub: string) =>
    new SignJWT({
      jti: randomUUID(),
      sub_id: { format: 'iss_sub', iss: LAB, sub },
      events: { [`https://schemas.openid.net/secevent/caep/event-type/${EVENTS[type]}`]: { current_level: 'HIGH' } },
    })
      .setProtectedHeader({ alg, kid: name, typ: 'secevent+jwt' })
      .setIssuer(issuer)
      .setAudience(SIGNALS)
      .setIssuedAt()
      .sign(privateKey);
  return {
    ...{ name, issuer },
    publicJwk: { ...(await exportJWK(publicKey)), kid: name, alg, use: 'sig' },
    events: (count, type, subOf) => many(count, (index) => event(type, subOf(index))),
  };
}
