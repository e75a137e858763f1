/**
 * Mutes a source of signals for an hour at most: what it reports is recorded, and no reaction acts on it. Whoever may do that can
 * undo all that its reports would do. So policy is asked the same question as about lifting a hold of everything.
 */
import { callerFields } from '../authorization/audit.js';
import type { Deps } from '../authorization/deps.js';
import type { Permitted } from '../authorization/permission.js';
import type { PermitDeps } from '../authorization/permit.js';
import { permitRevocation } from '../authorization/permit-revocation.js';
import { defined } from '../domain/defined.js';
import { BrokerError } from '../domain/errors.js';
import { EVERYTHING } from '../domain/selector.js';
import { DETECTOR } from '../domain/signal.js';
import { withoutTokens } from '../domain/token-in-text.js';
import type { AuthenticatedCaller } from '../identity/proof.js';
import { prefixOf } from '../domain/party.js';
import { listMutes, putMute, removeMute, type Mute } from '../ledger/mutes.js';
import type { Ledger } from '../ledger/ledger.js';

type MuteDeps = Pick<Deps, 'ledger' | 'audit' | 'settings'>;
type PermittedMute = Permitted<'revoke', { source: string }>;

export const MUTED_SECONDS_MAX = 3_600;

export const permitMuting = (deps: PermitDeps, caller: AuthenticatedCaller, source: string): Promise<PermittedMute> =>
  permitRevocation(deps, caller, { source }, () => ({ ...EVERYTHING, effect: 'lift', dryRun: false }));

interface Muting {
  seconds: number;
  reason?: string;
  requestId: string;
}

/** The audit entry comes first: nothing is muted of which it does not say who did it. */
export async function muteSource(
  deps: MuteDeps,
  { caller, subject: { source } }: PermittedMute,
  { seconds, reason, requestId }: Muting,
): Promise<Mute> {
  if (!mayReport(deps.settings, source)) {
    throw new BrokerError(
      'invalid_request',
      `${source} is no source: name a transmitter, the id of a caller (<trust name>:<sub>), or detector.`,
    );
  }
  const at = deps.ledger.clock.now();
  const said = reason === undefined ? undefined : withoutTokens(reason);
  const mute = defined({ source, by: caller.party.id, at, until: at + seconds * 1000, reason: said });
  const muted = { source, until: mute.until };
  await deps.audit.append(
    defined({ type: 'signal.muted' as const, at, ...callerFields(caller), muted, reason: said, requestId }),
  );
  await putMute(deps.ledger, mute);
  return mute;
}

/** Ends a mute before its time. Throws `not_found` when the source is not muted. */
export async function unmuteSource(
  { ledger, audit }: MuteDeps,
  { caller, subject: { source } }: PermittedMute,
  { requestId }: { requestId: string },
): Promise<Mute> {
  const found = (await listMutes(ledger)).find((mute) => mute.source === source);
  if (!found) throw new BrokerError('not_found', 'That source is not muted.');
  const at = ledger.clock.now();
  await audit.append({ type: 'signal.unmuted', at, ...callerFields(caller), muted: { source }, requestId });
  await removeMute(ledger, found);
  return found;
}

export const showMutes = (_: Permitted<'readRevocations'>, ledger: Ledger): Promise<Mute[]> => listMutes(ledger);

/** A source that is misspelt would look muted, and go on. */
const mayReport = ({ signals, trust }: MuteDeps['settings'], source: string): boolean =>
  source === DETECTOR ||
  signals.transmitters.some(({ name }) => name === source) ||
  trust.some((one) => source.startsWith(prefixOf(one)));
