/** Raises a finding as a signal like any other: it is stored once, whichever brokers found it, and then evaluated. */
import { DETECTOR_OF, type SignalsConfig } from '../config/signals-schema.js';
import { partySelector, type PartyCharge } from '../domain/charge.js';
import { sha256 } from '../domain/digest.js';
import type { Selector } from '../domain/selector.js';
import { createDistinctLimit } from '../domain/distinct-limit.js';
import { DETECTOR, signalId } from '../domain/signal.js';
import { withoutTokens } from '../domain/token-in-text.js';
import { MINUTE_MS } from '../domain/time.js';
import { readCanary, type Canary } from '../ledger/canaries.js';
import type { Ledger } from '../ledger/ledger.js';
import { putSignal } from '../ledger/signals.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { Presentation } from './observer.js';
import { subjectOf, type Finding, type Tally } from './rule.js';

export interface RaiseDeps {
  ledger: Ledger;
  detectors: SignalsConfig['detectors'];
  metrics: Pick<Metrics, 'signal'>;
  /** Queues the new signal for evaluation. */
  onSignal(id: string): void;
}

/** Returns `untold` where the finding went into a signal that does not name its subject. */
export type Raise = (tally: Tally, finding: Finding) => Promise<'told' | 'untold'>;

/** Findings of one detector, about one issuer, that are told apart in a minute. The others are one signal. */
export const FINDINGS_PER_ISSUER = 40;
/** Those of them that are about one party, so that it takes more than one to drown what happens to others. */
export const FINDINGS_PER_PARTY = 10;

export function createRaise(deps: RaiseDeps): Raise {
  const findings = createDistinctLimit({
    most: FINDINGS_PER_ISSUER,
    mostOfOne: FINDINGS_PER_PARTY,
    everyMs: MINUTE_MS,
  });
  return async ({ event, charge, at, first }, finding) => {
    const now = deps.ledger.clock.unchecked();
    const admits = ({ issuer, id }: PartyCharge['of']) =>
      findings.admits(`${event} ${issuer}`, { id: subjectOf(charge), of: id }, now);
    const isApart = !('of' in charge) || admits(charge.of);
    const subject = isApart ? charge : ({ kind: 'issuer', id: charge.of.issuer } as const);
    const why = isApart ? finding.why : 'more findings';
    const report = await reportOf(deps.ledger, subject, { why, first });
    if (!report) return 'told';
    const itsId = `${event}\n${finding.window}\n${subjectOf(subject)}`;
    const id = signalId(DETECTOR, itsId);
    const put = await putSignal(deps.ledger, {
      id,
      source: DETECTOR,
      digest: sha256(itsId),
      event,
      level: deps.detectors[DETECTOR_OF[event]].level,
      ...report,
      at,
      receivedAt: now,
      state: 'accepted',
      revision: 0,
    });
    if (put === 'other') throw new Error('a finding has the id of something else');
    deps.metrics.signal(DETECTOR, event, put);
    if (put === 'new') deps.onSignal(id);
    return isApart ? 'told' : 'untold';
  };
}

/** Returns undefined for a canary that has expired meanwhile. */
async function reportOf(
  ledger: Ledger,
  charge: Tally['charge'],
  { why, first }: { why: string; first: Presentation | undefined },
): Promise<{ about: Selector[]; reason: string } | undefined> {
  switch (charge.kind) {
    case 'party':
      return { about: [partySelector(charge.of)], reason: why };
    case 'proof':
      // People are told whom the token names. No reaction reaches them: see signals/authority.ts.
      return { about: [partySelector(charge.of)], reason: `${why}, by the token with the SHA-256 ${charge.id}` };
    case 'issuer':
      return { about: [], reason: `${why}, of parties of ${charge.id} that are not told apart` };
    case 'canary': {
      const canary = await readCanary(ledger, charge.id);
      return canary && { about: aboutCanary(canary), reason: `the canary "${canary.label}"${shown(first)}` };
    }
    default:
      return { about: [{ kind: charge.kind, value: charge.id }], reason: why };
  }
}

const SHOWN = {
  proof: 'as a proof of identity',
  introspected: 'to be introspected',
  returned: 'to be returned',
  found: 'as something found',
} as const satisfies Record<Presentation['as'], string>;

/** Says who showed it and from where, as far as known. What an API says of its own callers is its word alone. */
function shown(presentation: Presentation | undefined): string {
  if (!presentation) return '';
  const { as, by, presentedFrom, trace } = presentation;
  const parts = [
    `, shown ${SHOWN[as]}`,
    trace?.address === undefined ? '' : ` from ${trace.address}`,
    by === undefined ? '' : ` by ${by}`,
    presentedFrom === undefined ? '' : `, to which it was presented from ${withoutTokens(presentedFrom)}`,
    trace === undefined ? '' : `, in the request ${trace.requestId}`,
  ];
  return parts.join('');
}

const aboutCanary = ({ task, workload }: Canary): Selector[] => [
  ...(task === undefined ? [] : [{ kind: 'task', value: task } as const]),
  ...(workload === undefined ? [] : [{ kind: 'workload', value: workload } as const]),
];
