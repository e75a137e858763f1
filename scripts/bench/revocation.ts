/** The cost of revoking a workload, by the number of its credentials. */
import { setTimeout as pause } from 'node:timers/promises';
import { AUDIENCE, LAB, type Broker } from './broker.js';
import type { Signer } from './issuer.js';
import { post } from './load.js';
import type { RedisServer } from './redis.js';
import { openSeeder } from './seed.js';

export interface Revoked {
  /** The number of live credentials, one task each. */
  held: { few: number; many: number };
  /** Milliseconds until each revocation was acknowledged. */
  few: number[];
  many: number[];
  /** Milliseconds until the first receipt had its count, and that count. */
  counted: { ms: number; credentials: number };
}

const FEW = 10;
const TIMES = 9;
const COUNTED_WITHIN_MS = 60_000;

export async function measureRevocation(
  broker: Broker,
  redis: Pick<RedisServer, 'url'>,
  lab: Signer,
  many: number,
): Promise<Revoked> {
  const seeder = await openSeeder(redis.url);
  await seeder.seed(FEW * TIMES, (index) => `few-${Math.floor(index / FEW)}`);
  await seeder.seed(many, () => 'many');
  await seeder.close();

  const [soc = ''] = await lab.tokens(1, () => ({ iss: LAB, sub: 'soc', aud: AUDIENCE, team: 'soc' }));
  const headers = { Authorization: `Bearer ${soc}`, 'Content-Type': 'application/json' };
  const revoke = (sub: string) => acknowledged(broker, headers, `lab:${sub}`);
  // The code is warm now; the warm-up is not measured.
  for (let i = 0; i < 20; i += 1) await revoke(`nobody-${i}`);

  const results = { few: new Array<number>(), many: new Array<number>() };
  let counted = { ms: NaN, credentials: NaN };
  for (let i = 0; i < TIMES; i += 1) {
    results.few.push((await revoke(`few-${i}`)).ms);
    const { ms, seq } = await revoke('many');
    results.many.push(ms);
    // The first revocation ends them. The others find the same records, and are counted in the background like the first.
    if (i === 0) counted = await countedWithin(broker, headers, seq);
  }
  return { held: { few: FEW, many }, ...results, counted };
}

async function acknowledged({ url }: Broker, headers: Record<string, string>, workload: string) {
  const selector = { kind: 'workload', value: workload };
  const from = performance.now();
  const body = JSON.stringify({ selector, effect: 'cutoff', reason: 'benchmark', unseen: true });
  const { status, text } = await post(`${url}/revocations`, { headers, body });
  const ms = performance.now() - from;
  if (status !== 200) throw new Error(`the revocation was answered ${status}: ${text}`);
  return { ms, seq: (JSON.parse(text) as { seq: number }).seq };
}

async function countedWithin({ url }: Broker, headers: Record<string, string>, seq: number) {
  const from = performance.now();
  while (performance.now() - from < COUNTED_WITHIN_MS) {
    const answer = await fetch(`${url}/revocations/${seq}`, { headers });
    const { affected } = (await answer.json()) as { affected: { credentials: number } | null };
    if (affected) return { ms: performance.now() - from, credentials: affected.credentials };
    await pause(100);
  }
  return { ms: NaN, credentials: NaN };
}
