/** How far a revocation has come (G8): by kind of credential, and by target if the revocation must be pushed there. */
import { isEnforced, type Credential } from '../domain/credential.js';
import { credentialCauses } from '../domain/hangs-on.js';
import { defined } from '../domain/defined.js';
import { cause, type Cause } from '../domain/selector.js';
import { toTimestamp, wholeSeconds } from '../domain/time.js';
import type { LogEntry } from '../domain/tombstone.js';
import { deniedFrom, effectAt, type SessionEffect } from '../enforcement/effect.js';
import type { Found } from '../ledger/credentials.js';
import { readEnforcement } from '../ledger/enforcement.js';
import type { Affected } from '../ledger/impact.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Receipt } from '../ledger/receipts.js';
import type { Seen } from '../ledger/revocation-log.js';
import { kindOfTarget, KINDS } from '../targets/kinds.js';

/** What a revocation has achieved so far, where a kind of credential or a target is concerned. */
export type AchievedEffect =
  | { kind: string; effect: 'counting' }
  | RefusedOnline
  | ({ kind: string; target: string; count: number } & SessionEffect);

/** Two plain facts about dead credentials to whose target nothing has to be pushed. */
interface RefusedOnline {
  kind: string;
  effect: 'refused';
  count: number;
  /** Every online check has refused them since. Absent in a preview. RFC 3339. */
  refusedOnlineSince?: string;
  /** A verifier that asks nobody and checks only signature and `exp` believes the last of them until then. RFC 3339. */
  believedOfflineUntil: string;
}

/** The log entry of a revocation; a preview has none. */
type Published = Pick<LogEntry, 'seq' | 'at'>;

/** The effects until the hits are counted. At which other targets there will be effects is not known yet. */
const COUNTING: AchievedEffect[] = Object.values(KINDS)
  .filter(({ enforced }) => !enforced)
  .map(({ name }) => ({ kind: name, effect: 'counting' }));

export interface Shown {
  receipt: Receipt;
  effects: AchievedEffect[];
}

export const withEffects = async (ledger: Ledger, receipt: Receipt): Promise<Shown> => ({
  receipt,
  effects: await effectsOf(ledger, receipt.affected, receipt),
});

export const allWithEffects = (ledger: Ledger, receipts: readonly Receipt[]): Promise<Shown[]> =>
  Promise.all(receipts.map((receipt) => withEffects(ledger, receipt)));

/** Returns how far the end of a dead credential has come at its target; undefined if nothing has to be pushed for it. */
export async function sessionEffect(ledger: Ledger, { credential, task }: Found): Promise<SessionEffect | undefined> {
  if (!isEnforced(credential) || credential.state === 'failed') return undefined;
  const causes = credentialCauses(credential, task);
  const seen = await ledger.log.look(causes);
  const { generation } = seen.epoch;
  const state = (await readEnforcement(ledger, credential.target))?.value;
  const { expiresAt } = credential;
  return effectAt(state, { generation, seq: diedAt(credential, seen, causes), expiresAt }, ledger.clock.unchecked());
}

/**
 * Returns the number of the log entry that ended a credential; undefined if that is not published yet. It is 0 for a
 * credential of a log that was lost: the first cutoff on the next log denies it. A credential that was never handed out
 * counts from its own end: it may have been reserved after an entry that hits it had been pushed, so that push did not deny
 * it.
 */
const diedAt = ({ id, state, epoch }: Credential, seen: Seen, causes: readonly Cause[]): number | undefined =>
  state === 'active'
    ? seen.firstDeathOf('credential', epoch, causes)?.seq
    : seen.on([cause('credential', id)])[0]?.ended?.seq;

export async function effectsOf(
  ledger: Ledger,
  affected: Affected | undefined,
  published?: Published,
): Promise<AchievedEffect[]> {
  if (!affected) return COUNTING;
  const hits = Object.entries(affected.byTarget).map(([target, hit]) => ({
    target,
    kind: kindOfTarget(target),
    ...hit,
  }));
  const enforced = hits.filter(({ kind }) => kind.enforced);
  const online = hits.filter(({ kind }) => !kind.enforced);
  return [...effectsByKind(online, published), ...(await effectsByTarget(ledger, enforced, published?.seq))];
}

/** A target to which denials are pushed, and since when it denies what a revocation hit there. Milliseconds. */
interface DenyingTarget {
  target: string;
  /** At the latest then. Absent: not yet for certain. */
  deniedSince?: number;
}

/** Returns the targets to which this revocation is pushed; none until its hits are counted. */
export async function denyingTargets(
  ledger: Ledger,
  { affected, seq, at }: Pick<Receipt, 'affected' | 'seq' | 'at'>,
): Promise<DenyingTarget[]> {
  const targets = Object.keys(affected?.byTarget ?? {}).filter((target) => kindOfTarget(target).enforced);
  if (targets.length === 0) return [];
  const { generation } = (await ledger.log.look([])).epoch;
  const now = ledger.clock.unchecked();
  return Promise.all(
    targets.map(async (target) => {
      const from = deniedFrom((await readEnforcement(ledger, target))?.value, { generation, seq });
      // What the target has may be older than the entry: then it denied all that before.
      const deniedSince = from === undefined || from > now ? undefined : Math.max(at, from);
      return defined({ target, deniedSince });
    }),
  );
}

/** The credentials that a revocation hit at one target. */
interface Hit {
  target: string;
  kind: { name: string };
  count: number;
  latestEnd: number;
}

/** Nothing has to be pushed for these: they are dead as soon as the log says so. */
function effectsByKind(hits: readonly Hit[], published: Published | undefined): AchievedEffect[] {
  const kinds = new Set(hits.map(({ kind }) => kind.name));
  return [...kinds].map((kind) => {
    const ofKind = hits.filter((hit) => hit.kind.name === kind);
    const count = ofKind.reduce((sum, hit) => sum + hit.count, 0);
    const latestEnd = Math.max(...ofKind.map((hit) => hit.latestEnd));
    return defined({
      kind,
      effect: 'refused' as const,
      count,
      refusedOnlineSince: published && toTimestamp(published.at),
      // A token says its expiry in whole seconds.
      believedOfflineUntil: toTimestamp(wholeSeconds(latestEnd)),
    });
  });
}

async function effectsByTarget(
  ledger: Ledger,
  hits: readonly Hit[],
  seq: number | undefined,
): Promise<AchievedEffect[]> {
  if (hits.length === 0) return [];
  const { generation } = (await ledger.log.look([])).epoch;
  return Promise.all(
    hits.map(async ({ target, kind, count, latestEnd }) => {
      const state = (await readEnforcement(ledger, target))?.value;
      const effect = effectAt(state, { generation, seq, expiresAt: latestEnd }, ledger.clock.unchecked());
      return { kind: kind.name, target, count, ...effect };
    }),
  );
}
