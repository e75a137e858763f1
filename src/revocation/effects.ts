/** How far a revocation has come (G8): by kind of credential, and by target if the revocation must be pushed there. */
import { isEnforced, type Credential } from '../domain/credential.js';
import { credentialCauses } from '../domain/hangs-on.js';
import { cause, type Cause } from '../domain/selector.js';
import type { Found } from '../ledger/credentials.js';
import { readEnforcement } from '../ledger/enforcement.js';
import type { Affected } from '../ledger/impact.js';
import type { Ledger } from '../ledger/ledger.js';
import type { Receipt } from '../ledger/receipts.js';
import type { Seen } from '../ledger/revocation-log.js';
import { effectAt, type SessionEffect } from '../enforcement/effect.js';
import { DEFAULT_KIND, kindOfTarget } from '../targets/kinds.js';

/** The kind whose credentials are dead as soon as the log says so: nothing has to be pushed. */
const ONLINE = DEFAULT_KIND.name;

export type Effect =
  | { kind: string; effect: 'counting' }
  /** Every online check refuses now. A verifier that checks only signature and `exp` accepts them until the last one expires. */
  | { kind: string; effect: 'immediate'; count: number; boundedBySeconds: number }
  | ({ kind: string; target: string; count: number } & SessionEffect);

export interface Shown {
  receipt: Receipt;
  effects: Effect[];
}

export const withEffects = async (ledger: Ledger, receipt: Receipt): Promise<Shown> => ({
  receipt,
  effects: await effectsOf(ledger, receipt.affected, receipt.seq),
});

export const allWithEffects = (ledger: Ledger, receipts: readonly Receipt[]): Promise<Shown[]> =>
  Promise.all(receipts.map((receipt) => withEffects(ledger, receipt)));

/** How far the end of a dead credential has come at its target; undefined if nothing has to be pushed for it. */
export async function sessionEffect(ledger: Ledger, { credential, task }: Found): Promise<SessionEffect | undefined> {
  if (!isEnforced(credential) || credential.state === 'failed') return undefined;
  const causes = credentialCauses(credential, task);
  const seen = await ledger.log.look(causes);
  const { generation } = seen.epoch;
  const state = (await readEnforcement(ledger, credential.target))?.value;
  const { expiresAt } = credential;
  return effectAt(state, { generation, seq: diedAt(credential, seen, causes), expiresAt }, ledger.clock.now());
}

/**
 * The number of the log entry that ended a credential; undefined if that is not published yet. It is 0 for a credential of a
 * log that was lost: the first cutoff on the next log denies it. A credential that was never handed out counts from its own
 * end: it may have been reserved after an entry that hits it had been pushed, so that push did not deny it.
 */
const diedAt = ({ id, state, epoch }: Credential, seen: Seen, causes: readonly Cause[]): number | undefined =>
  state === 'active'
    ? seen.firstDeathOf('credential', epoch, causes)?.seq
    : seen.on([cause('credential', id)])[0]?.ended?.seq;

/** @param seq The number of the revocation's log entry; undefined for a preview, which has none. */
export async function effectsOf(
  ledger: Ledger,
  affected: Affected | undefined,
  seq: number | undefined,
): Promise<Effect[]> {
  if (!affected) return [{ kind: ONLINE, effect: 'counting' }];
  const sessions = await effectsByTarget(ledger, affected, seq);
  const count = affected.credentials - sessions.reduce((sum, one) => sum + one.count, 0);
  if (count === 0) return sessions;
  const boundedBySeconds = Math.max(0, Math.ceil((affected.latestEnd - ledger.clock.now()) / 1000));
  return [{ kind: ONLINE, effect: 'immediate', count, boundedBySeconds }, ...sessions];
}

async function effectsByTarget(ledger: Ledger, { sessions }: Affected, seq: number | undefined) {
  const targets = Object.entries(sessions);
  if (targets.length === 0) return [];
  const { generation } = (await ledger.log.look([])).epoch;
  return Promise.all(
    targets.map(async ([target, { count, latestEnd }]) => {
      const state = (await readEnforcement(ledger, target))?.value;
      const effect = effectAt(state, { generation, seq, expiresAt: latestEnd }, ledger.clock.now());
      return { kind: kindOfTarget(target).name, target, count, ...effect };
    }),
  );
}
