/** The results for attacks, and which targets are met. */
import { quantile } from '../numbers.js';
import { table, targetTable, type Target } from '../table.js';
import type { Cost } from './cost.js';
import type { Flooded } from './flood.js';
import { dearest, type AttackFindings } from './measure.js';

const MOST_MS = { stranger: 3, agent: 25 } as const;
const ACKNOWLEDGED_MS = 250;

export function attackReport({ costs, floods }: AttackFindings): string {
  const targets: Target[] = [
    ...(['stranger', 'agent'] as const).map((who): Target => {
      const { cpuMs } = dearest(costs, who);
      const whose = who === 'stranger' ? 'a stranger' : 'a permitted agent';
      return [`the dearest request of ${whose}`, `≤ ${MOST_MS[who]}`, cpuMs, cpuMs <= MOST_MS[who], ' ms CPU'];
    }),
    ...floods.map(({ kind, perSecond, revocations }): Target => {
      const p99 = quantile(revocations, 0.99);
      const meanwhile = `${perSecond} a second of the dearest of ${kind.who === 'stranger' ? 'a stranger' : 'an agent'}`;
      return [`revocation, p99 during ${meanwhile}`, `≤ ${ACKNOWLEDGED_MS}`, p99, p99 <= ACKNOWLEDGED_MS, ' ms'];
    }),
    ['requests answered with 5xx', '0', failed(costs), failed(costs) === 0, ''],
  ];
  return [
    table(['a request', 'by', 'CPU ms', 'p50 ms', 'answered'], costs.map(costLine)),
    table(
      ['during a flood of', 'a second', 'others', 'p50 ms', 'p99 ms', 'answered'],
      floods.flatMap((one) => [
        floodLine(one, 'revocations', one.revocations),
        floodLine(one, 'exchanges', one.exchanges),
      ]),
    ),
    targetTable(targets),
  ].join('\n\n');
}

const costLine = ({ kind, cpuMs, p50Ms, statuses }: Cost): string[] => [
  kind.name,
  kind.who,
  cpuMs.toFixed(2),
  p50Ms.toFixed(1),
  [...statuses.keys()].sort((a, b) => a - b).join(', '),
];

function floodLine({ kind, perSecond }: Flooded, what: string, latencies: readonly number[]): string[] {
  const answered = latencies.filter((ms) => ms < Infinity).length;
  const at = (share: number) => quantile(latencies, share).toFixed(1);
  return [kind.name, String(perSecond), what, at(0.5), at(0.99), `${answered} of ${latencies.length}`];
}

const failed = (costs: readonly Cost[]): number =>
  costs.reduce((sum, { statuses }) => sum + [...statuses].filter(([status]) => status >= 500).length, 0);
