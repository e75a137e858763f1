/** Transmitters of security events, honest or not, a broker that hears them, and what became of what they said. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import type { AuditEvent } from '../../src/audit/event.js';
import { toSeconds, type Clock } from '../../src/domain/time.js';
import { startBroker, type BrokerWish, type TestBroker } from './brokers/http.js';
import type { Calls, Reply } from './calls.js';
import { handClock } from './clock.js';
import { temporaryDirectory } from './directory.js';
import { createIssuer, signToken, type SigningKey, type TestIssuer } from './issuers/issuer.js';
import { until } from './redis.js';

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
  /** Replaces claims; undefined takes them away. */
  claims?: Record<string, unknown>;
}

export interface Transmitter {
  name: string;
  issuer: TestIssuer;
  /** As the configuration names it. */
  config: Record<string, unknown>;
  /** A session of the subject was revoked, unless told otherwise. */
  set(subject: unknown, wish?: SetWish): Promise<string>;
  /** Signs with new keys, and publishes them. */
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

export const push = (broker: Calls, set: string, headers: Record<string, string> = {}): Promise<Reply> =>
  broker.send('/signals', { method: 'POST', body: set, headers: { 'content-type': SET_TYPE, ...headers } });

export interface SignalBroker {
  broker: TestBroker;
  idp: Transmitter;
  edr: Transmitter;
  /** Pushes; answers the status. */
  say(from: Transmitter, subject: unknown, wish?: SetWish): Promise<number>;
}

/** Hears `idp` and `edr`, who may speak of everybody unless told otherwise. */
export async function startSignalBroker(
  signals: object = {},
  { idp: idpSettings, ...wish }: Omit<BrokerWish, 'config'> & { idp?: object } = {},
): Promise<SignalBroker> {
  const clock = wish.clock ?? handClock(...(wish.redisUrl === undefined ? [] : [Date.now()]));
  const idp = await createTransmitter('idp', clock, { perMinute: 100_000, ...idpSettings });
  const edr = await createTransmitter('edr', clock);
  const config = { signals: { transmitters: [idp.config, edr.config], ...signals } };
  const broker = await startBroker({ ...wish, clock, config });
  return {
    broker,
    idp,
    edr,
    say: async (from, subject, more) => (await push(broker, await from.set(subject, more))).status,
  };
}

export type Judged = NonNullable<AuditEvent['signal']> & { why?: string };

/** What became of signals, as the audit log tells it, once it tells of so many. */
export async function judged(
  broker: Calls & Pick<TestBroker, 'identity'>,
  count: number,
  type = 'signal.judged',
): Promise<Judged[]> {
  let found: Judged[] = [];
  await until(async () => {
    found = (await audited(broker, type)).flatMap(({ signal, reason }) =>
      signal ? [{ ...signal, ...(reason !== undefined && { why: reason }) }] : [],
    );
    return found.length >= count;
  }, 'the signals were not judged');
  return found;
}

export async function audited(broker: Calls & Pick<TestBroker, 'identity'>, type: string): Promise<AuditEvent[]> {
  const { text } = await broker.get('/audit', await broker.identity('soc'), { accept: 'application/x-ndjson' });
  const events = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditEvent);
  return events.filter((event) => event.type === type);
}

/** A credential of an agent of the lab. */
export async function minted(broker: TestBroker, sub: string, wish: Record<string, string | undefined> = {}) {
  const reply = await broker.exchange(await broker.identity(sub), wish);
  if (reply.status !== 200) throw new Error(`not minted: ${reply.text}`);
  const { access_token: token, task_id: task } = reply.body as { access_token: string; task_id: string };
  const { jti = '' } = decodeJwt(token);
  return { token, task, id: jti };
}

export async function isActive(broker: TestBroker, { token }: { token: string }): Promise<boolean> {
  const { body } = await broker.introspect(token, await broker.identity('tickets-api'));
  return (body as { active: boolean }).active;
}

export const workload = (sub: string) => ({ format: 'iss_sub', iss: 'https://issuer.lab.example', sub });
export const person = (sub: string) => ({ format: 'iss_sub', iss: 'https://staff.example', sub });
export const opaque = (id: string) => ({ format: 'opaque', id });
