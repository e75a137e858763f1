/** Raises a finding as a signal like any other: it is stored once, whichever brokers found it, and then evaluated. */
import { DETECTOR_OF, type SignalsConfig } from '../config/signals-schema.js';
import { sha256 } from '../domain/digest.js';
import type { Selector } from '../domain/selector.js';
import { DETECTOR, signalId } from '../domain/signal.js';
import { readCanary, type Canary } from '../ledger/canaries.js';
import type { Ledger } from '../ledger/ledger.js';
import { putSignal } from '../ledger/signals.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Finding, Tally } from './rule.js';

export interface RaiseDeps {
  ledger: Ledger;
  detectors: SignalsConfig['detectors'];
  metrics: Pick<Metrics, 'signal'>;
  /** Queues the new signal for evaluation. */
  onSignal(id: string): void;
}

export async function raise(deps: RaiseDeps, tally: Tally, { why, window }: Finding): Promise<void> {
  const { event, subject, at } = tally;
  const report = event === 'canary-used' ? await canaryReport(deps.ledger, subject) : { about: [...tally.about], why };
  if (!report) return;
  const itsId = `${event}\n${window}\n${subject}`;
  const id = signalId(DETECTOR, itsId);
  const put = await putSignal(deps.ledger, {
    id,
    source: DETECTOR,
    digest: sha256(itsId),
    event,
    level: deps.detectors[DETECTOR_OF[event]].level,
    about: report.about,
    at,
    receivedAt: deps.ledger.clock.unchecked(),
    reason: report.why,
    state: 'accepted',
    revision: 0,
  });
  if (put === 'other') throw new Error('a finding has the id of something else');
  deps.metrics.signal(DETECTOR, event, put);
  if (put === 'new') deps.onSignal(id);
}

/** Returns undefined when the canary has expired meanwhile. */
async function canaryReport(ledger: Ledger, hash: string): Promise<{ about: Selector[]; why: string } | undefined> {
  const canary = await readCanary(ledger, hash);
  return canary && { about: aboutCanary(canary), why: `the canary "${canary.label}"` };
}

const aboutCanary = ({ task, workload }: Canary): Selector[] => [
  ...(task === undefined ? [] : [{ kind: 'task', value: task } as const]),
  ...(workload === undefined ? [] : [{ kind: 'workload', value: workload } as const]),
];
