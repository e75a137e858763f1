/** Accepts a signal: it is translated into the broker's terms, and durable before its sender gets an answer. */
import type { Transmitter } from '../config/signals-schema.js';
import type { Trust } from '../config/trust-schema.js';
import { BrokerError } from '../domain/errors.js';
import { signalId, type Level, type NarrowingMember, type Signal } from '../domain/signal.js';
import { masked } from '../domain/text.js';
import { withoutTokens } from '../domain/token-in-text.js';
import type { Ledger } from '../ledger/ledger.js';
import { findPut, putSignal, type Put } from '../ledger/signals.js';
import { EVENT_NAMES, eventFactsSchema, type SetClaims } from '../protocol/security-event.js';
import { selectorsOf } from './resolve-subject.js';

interface SignalDeps {
  ledger: Ledger;
  settings: { trust: readonly Trust[] };
  issuer: string;
  /** Queues the new signal for evaluation. Must not throw; the recurring job finds a signal that was not queued. */
  onSignal(id: string): void;
}

/** A verified report, however it came in. Its subject is not resolved yet. */
interface Report {
  source: string;
  /** Trust names that the source may speak of. */
  about: readonly string[];
  /** Members of a subject that are passed over where they are unknown here. */
  ignoreMembers?: readonly NarrowingMember[];
  /** The id its source gave it. The same id of the same source is the same signal. */
  itsId: string;
  digest: string;
  event: Signal['event'];
  level: Level;
  subject: unknown;
  at: number;
  reason?: string;
  /**
   * Throws when its source sends too much. Only a new signal counts: whoever replays a signal must not use up the source's
   * rate.
   */
  assertWithinRate?: () => Promise<void>;
}

const REASON_CHARACTERS = 512;

/**
 * Stores a signal. `again`: the signal is known, and nothing more is done. Throws `conflict` when its id was used for other
 * content.
 */
export async function acceptSignal(deps: SignalDeps, report: Report): Promise<{ id: string; put: 'new' | 'again' }> {
  const id = signalId(report.source, report.itsId);
  const put = (await findPut(deps.ledger, { id, digest: report.digest })) ?? (await putNew(deps, report, id));
  if (put === 'other') throw new BrokerError('conflict', 'Another signal was sent under this id before.');
  if (put === 'new') deps.onSignal(id);
  return { id, put };
}

async function putNew(deps: SignalDeps, report: Report, id: string): Promise<Put> {
  const { source, digest, event, level, at, reason } = report;
  await report.assertWithinRate?.();
  const about = event === 'unknown' ? [] : await selectorsOf({ ...deps, ...deps.settings }, report);
  const receivedAt = deps.ledger.clock.unchecked();
  return putSignal(deps.ledger, {
    id,
    source,
    digest,
    event,
    level,
    about,
    receivedAt,
    // The source may claim any time. It is kept between 1970 and when the signal was received.
    at: Math.min(Math.max(0, at), receivedAt),
    ...(reason !== undefined && { reason: printable(reason) }),
    state: 'accepted',
    revision: 0,
  });
}

/** Removes tokens and unprintable characters: people read reasons, also on terminals. */
const printable = (reason: string): string => masked(withoutTokens(reason).slice(0, REASON_CHARACTERS));

/**
 * Returns what an event of a Security Event Token reports, as far as it has a meaning here.
 * @param named What the entry of the transmitter takes types of events for, by URI. It comes before the standards.
 */
export function reportFromSet(
  { iat, toe, jti, sub_id: subject }: SetClaims,
  [uri, facts]: [uri: string, facts: object],
  named: Transmitter['events'],
): Pick<Report, 'itsId' | 'event' | 'level' | 'subject' | 'at' | 'reason'> {
  const event = new Map(Object.entries(named)).get(uri) ?? EVENT_NAMES.get(uri) ?? 'unknown';
  const parsed = eventFactsSchema.safeParse(facts).data ?? {};
  const [byAdmin] = Object.values(parsed.reason_admin ?? {});
  const reason = typeof byAdmin === 'string' ? byAdmin : (parsed.state ?? parsed.status);
  return {
    itsId: jti,
    event,
    level: levelOf(event, parsed),
    subject: subject ?? parsed.subject,
    at: (parsed.event_timestamp ?? toe ?? iat) * 1000,
    ...(reason !== undefined && { reason }),
  };
}

/**
 * Returns the level of an event on one scale for all events: HIGH for what ends or compromises something, also where the
 * event does not say; LOW for what repairs it.
 */
function levelOf(event: Signal['event'], facts: ReturnType<typeof eventFactsSchema.parse>): Level {
  switch (event) {
    case 'risk-level-change':
      return facts.current_level ?? 'HIGH';
    case 'device-compliance-change':
      return facts.current_status === 'compliant' ? 'LOW' : 'HIGH';
    case 'assurance-level-change':
      return facts.change_direction === 'increase' ? 'LOW' : 'HIGH';
    case 'credential-change':
      return facts.change_type === 'create' || facts.change_type === 'update' ? 'LOW' : 'HIGH';
    default:
      return 'HIGH';
  }
}
