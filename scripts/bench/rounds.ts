/** Rounds in which each contender is measured once, in rotating order, so that other load on the machine affects all alike. */
import type { Contender } from './contenders.js';
import { cpuMicroseconds } from './child.js';
import { drive } from './load.js';
import { quantile } from './numbers.js';
import type { SignatureCost } from './signature.js';

export interface Turn {
  perSecond: number;
  p50: number;
  p99: number;
  /** CPU time of the server process per request. */
  cpuMicroseconds: number;
  redisCpuMicroseconds: number;
}

export interface Row {
  name: string;
  turns: Turn[];
}

export interface RoundsWish {
  rounds: number;
  requests: number;
  /** How many requests warm up the code before it is measured. */
  warmUp: number;
  redisPid: number;
  /** A further measurement, taken once per round; absent where nothing is compared with it. */
  yardstick?: () => Promise<SignatureCost>;
}

export interface Outcome {
  rows: Row[];
  signatures: SignatureCost[];
}

export async function runRounds(contenders: readonly Contender[], wish: RoundsWish): Promise<Outcome> {
  const rows = contenders.map((contender) => ({ contender, turns: new Array<Turn>() }));
  for (const { contender } of rows) await drive(await contender.prepare(wish.warmUp));
  const signatures: SignatureCost[] = [];
  for (let round = 0; round < wish.rounds; round += 1) {
    // Half of them, so that with two, three or six nobody is always the last.
    const first = (round * Math.ceil(rows.length / 2)) % rows.length;
    for (const { contender, turns } of [...rows.slice(first), ...rows.slice(0, first)]) {
      turns.push(await measure(contender, wish));
      process.stderr.write('.');
    }
    if (wish.yardstick) signatures.push(await wish.yardstick());
  }
  process.stderr.write('\n');
  return { rows: rows.map(({ contender: { name }, turns }) => ({ name, turns })), signatures };
}

async function measure(contender: Contender, { requests, redisPid }: RoundsWish): Promise<Turn> {
  const { pid } = contender;
  const load = await contender.prepare(requests);
  const [cpu, redisCpu] = [cpuMicroseconds(pid), cpuMicroseconds(redisPid)];
  const { seconds, latencies } = await drive(load);
  return {
    perSecond: requests / seconds,
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
    cpuMicroseconds: (cpuMicroseconds(pid) - cpu) / requests,
    redisCpuMicroseconds: (cpuMicroseconds(redisPid) - redisCpu) / requests,
  };
}
