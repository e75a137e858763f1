/** What clients meet: the token endpoint under a gateway, `credential()` of our own clients, and commands without code. Returns the report. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AUDIENCE, startBroker } from '../broker.js';
import { createSigner, type Signer } from '../issuer.js';
import type { RedisServer } from '../redis.js';
import { measureCached } from './cached.js';
import { measureGateway, STAFF, type GatewayWish } from './gateway.js';
import { clientsReport, withoutCodeReport } from './report.js';
import { measureWithoutCode, type WithoutCodeWish } from './without-code.js';

export interface ClientsWish extends Omit<GatewayWish, 'redisPid'> {
  /** Calls of `credential()` in a round. */
  calls: number;
  withoutCode: WithoutCodeWish;
}

export async function measureClients(
  directory: string,
  redis: RedisServer,
  lab: Signer,
  { calls, withoutCode, ...wish }: ClientsWish,
): Promise<string> {
  const staff = await createSigner('staff');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'staff.json'), JSON.stringify({ keys: [staff.publicJwk] }));
  const people = { name: 'staff', kind: 'oidc', issuer: STAFF, audiences: [AUDIENCE], represents: 'person' };
  const broker = await startBroker({
    directory,
    store: redis.url,
    lab,
    trust: [{ ...people, jwks: { file: './staff.json' } }],
    more: { redis: { prefix: 'bench-clients:' } },
  });
  const outcome = await measureGateway(broker, { lab, staff }, { ...wish, redisPid: redis.pid });
  const cached = await measureCached(broker, lab, calls);
  const commands = await measureWithoutCode(directory, broker, lab, withoutCode);
  await broker.end();
  return `${clientsReport(outcome, cached)}\n\n${withoutCodeReport(commands)}`;
}
