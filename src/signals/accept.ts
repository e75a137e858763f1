/** Takes a signal in: what it says in the broker's words, durable before anybody is told that it was heard. */
import type { Trust } from '../config/schema.js';
import { BrokerError } from '../domain/errors.js';
import { signalId, type Level, type Signal } from '../domain/signal.js';
import { withoutTokens } from '../domain/token-in-text.js';
import type { Ledger } from '../ledger/ledger.js';
import { findPut, putSignal, type Put } from '../ledger/signals.js';
import { EVENT_NAMES, eventFactsSchema, type SetClaims } from '../protocol/security-event.js';
import { selectorsOf } from './resolve-subject.js';

interface SignalDeps {
  ledger: Ledger;
  settings: { trust: readonly Trust[] };
  issuer: string;
  /** That it is to be looked at soon. Must not throw; what it forgets the sweep finds. */
  onSignal(id: string): void;
}

/** What somebody has told, whatever way: verified, and not yet understood. */
interface Told {
  source: string;
  /** Trust names that the source may speak of. */
  about: readonly string[];
  /** Under which it is the same for ever. */
  itsId: string;
  digest: string;
  event: Signal['event'];
  level: Level;
  subject: unknown;
  at: number;
  reason?: string;
  /** Throws when its source sends too much. Asked of what is new only: a stranger who repeats what he has seen must not use it up. */
  assertWithinRate?: () => Promise<void>;
}

const REASON_CHARACTERS = 512;

/** `again`: it was heard before, and nothing more is done. Throws `conflict` where its id stands for something else. */
export async function acceptSignal(deps: SignalDeps, told: Told): Promise<{ id: string; put: 'new' | 'again' }> {
  const id = signalId(told.source, told.itsId);
  const put = (await findPut(deps.ledger, { id, digest: told.digest })) ?? (await putNew(deps, told, id));
  if (put === 'other') throw new BrokerError('conflict', 'Another signal was sent under this id before.');
  if (put === 'new') deps.onSignal(id);
  return { id, put };
}

async function putNew(deps: SignalDeps, told: Told, id: string): Promise<Put> {
  const { source, digest, event, level, at, reason } = told;
  await told.assertWithinRate?.();
  const about = event === 'unknown' ? [] : await selectorsOf({ ...deps, ...deps.settings }, told.about, told.subject);
  const receivedAt = deps.ledger.clock.now();
  return putSignal(deps.ledger, {
    ...{ id, source, digest, event, level, about, receivedAt },
    // Whatever its source says: it was not before all time, and not after it was heard.
    at: Math.min(Math.max(0, at), receivedAt),
    ...(reason !== undefined && { reason: plain(reason) }),
    state: 'accepted',
    revision: 0,
  });
}

/** It is shown to people, on terminals too. */
const plain = (reason: string): string =>
  withoutTokens(reason)
    .slice(0, REASON_CHARACTERS)
    .replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');

/** An event of a token, as far as it has a meaning here. */
export function toldBySet(
  { iat, toe, jti, sub_id: subject }: SetClaims,
  [uri, facts]: [uri: string, facts: object],
): Pick<Told, 'itsId' | 'event' | 'level' | 'subject' | 'at' | 'reason'> {
  const event = EVENT_NAMES.get(uri) ?? 'unknown';
  const parsed = eventFactsSchema.safeParse(facts).data ?? {};
  const reason = Object.values(parsed.reason_admin ?? {})[0] ?? parsed.state ?? parsed.status;
  return {
    itsId: jti,
    event,
    level: levelOf(event, parsed),
    subject: subject ?? parsed.subject,
    at: (parsed.event_timestamp ?? toe ?? iat) * 1000,
    ...(reason !== undefined && { reason }),
  };
}

/** One scale for all events: what ends or compromises something is HIGH, what mends it LOW. What does not say which is the worst. */
function levelOf(event: Signal['event'], facts: ReturnType<typeof eventFactsSchema.parse>): Level {
  switch (event) {
    case 'risk-level-change':
      return facts.current_level ?? 'HIGH';
    case 'device-compliance-change':
      return facts.current_status === 'compliant' ? 'LOW' : 'HIGH';
    case 'credential-change':
      return facts.change_type === 'create' || facts.change_type === 'update' ? 'LOW' : 'HIGH';
    default:
      return 'HIGH';
  }
}
