/** Transmitters of security events (RFC 8935), honest or not, and the subjects they name. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toSeconds, type Clock } from '../../../src/domain/time.js';
import { temporaryDirectory } from '../directory.js';
import { createIssuer, signToken, type SigningKey, type TestIssuer } from './issuer.js';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
export const SESSION_REVOKED = `${CAEP}session-revoked`;
export const RISK = `${CAEP}risk-level-change`;
export const COMPLIANCE = `${CAEP}device-compliance-change`;
export const SIGNALS = 'https://mayfly.example/signals';
export const SET_TYPE = 'application/secevent+jwt';

export interface SetWish {
  event?: string;
  facts?: object;
  header?: Record<string, unknown>;
  key?: SigningKey;
  /** These replace claims; undefined removes one. */
  claims?: Record<string, unknown>;
}

export interface Transmitter {
  name: string;
  issuer: TestIssuer;
  /** Its entry in the configuration of a broker. */
  config: Record<string, unknown>;
  /** Returns a signed security event token: a session of the subject was revoked, unless `wish` says otherwise. */
  set(subject: unknown, wish?: SetWish): Promise<string>;
  /** Replaces the signing keys, and publishes the new ones. */
  rotate(options?: { keep?: boolean }): Promise<void>;
}

let sent = 0;

export async function createTransmitter(name: string, clock: Clock, more: object = {}): Promise<Transmitter> {
  const issuer = await createIssuer({ clock, url: `https://${name}.example` });
  const file = join(temporaryDirectory(), 'jwks.json');
  const publish = () => writeFileSync(file, JSON.stringify(issuer.jwks()));
  publish();
  return {
    name,
    issuer,
    config: { name, issuer: issuer.url, audience: SIGNALS, jwks: { file }, about: ['lab', 'staff'], ...more },
    set(subject, { event = SESSION_REVOKED, facts = {}, header, key = issuer.key(), claims } = {}) {
      const standard = {
        iss: issuer.url,
        aud: SIGNALS,
        iat: toSeconds(clock.now()),
        jti: `${name}-${(sent += 1)}`,
        sub_id: subject,
        events: { [event]: facts },
      };
      return signToken(key, { ...standard, ...claims }, { typ: 'secevent+jwt', ...header });
    },
    async rotate(options) {
      await issuer.rotate(options);
      publish();
    },
  };
}

export const workload = (sub: string) => ({ format: 'iss_sub', iss: 'https://issuer.lab.example', sub });
export const person = (sub: string) => ({ format: 'iss_sub', iss: 'https://staff.example', sub });
export const opaque = (id: string) => ({ format: 'opaque', id });
