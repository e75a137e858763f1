/** A whole broker in this process that takes signals of two transmitters, and what the audit log says became of them. */
import { decodeJwt } from 'jose';
import type { AuditEvent } from '../../../src/audit/event.js';
import type { Calls, Reply } from '../calls.js';
import { handClock } from '../clock.js';
import { createTransmitter, SET_TYPE, type SetWish, type Transmitter } from '../issuers/transmitter.js';
import { until } from '../until.js';
import { startBroker, type BrokerWish, type TestBroker } from './http.js';

export const push = (broker: Calls, set: string, headers: Record<string, string> = {}): Promise<Reply> =>
  broker.send('/signals', { method: 'POST', body: set, headers: { 'content-type': SET_TYPE, ...headers } });

export interface SignalBroker {
  broker: TestBroker;
  idp: Transmitter;
  edr: Transmitter;
  /** Pushes a security event; returns the HTTP status. */
  say(from: Transmitter, subject: unknown, wish?: SetWish): Promise<number>;
}

/** Starts a broker that takes signals of `idp` and `edr`, both with authority over everybody unless `signals` says otherwise. */
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

export type EvaluatedSignal = NonNullable<AuditEvent['signal']> & { why?: string };

/** Returns what the audit log says became of the signals, as soon as it has `count` entries about them. */
export async function evaluated(
  broker: Calls & Pick<TestBroker, 'identity'>,
  count: number,
  type = 'signal.evaluated',
): Promise<EvaluatedSignal[]> {
  let found: EvaluatedSignal[] = [];
  await until(async () => {
    found = (await audited(broker, type)).flatMap(({ signal, reason }) =>
      signal ? [{ ...signal, ...(reason !== undefined && { why: reason }) }] : [],
    );
    return found.length >= count;
  }, 'the signals were not evaluated');
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

/** Exchanges as `lab:<sub>`; returns the credential, its task and its id. */
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
