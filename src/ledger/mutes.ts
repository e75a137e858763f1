/**
 * Sources of signals that are muted for a while. All are one record, so that every broker finds with one read what is muted, and
 * the list of them is one read too.
 */
import { z } from 'zod';
import { BrokerError } from '../domain/errors.js';
import { AHEAD_AT_MOST_MS } from '../domain/limits.js';
import { moment } from '../domain/schemas.js';
import { record } from '../store/record.js';
import { mutesKey } from './keys.js';
import type { Ledger } from './ledger.js';
import { upsertRecord } from './retry-on-conflict.js';

const muteSchema = z.strictObject({
  /** The name of a transmitter, the id of a caller, or `detector`. */
  source: z.string(),
  /** Who muted it. */
  by: z.string(),
  at: moment,
  until: moment,
  reason: z.string().optional(),
});
export type Mute = z.infer<typeof muteSchema>;

/** More sources are no false alarm of a source. The bound keeps the record small, which is read for every reaction. */
const MUTES_MOST = 100;

const all = record(z.object({ mutes: z.array(muteSchema) }), (key: typeof mutesKey) => key, {
  expiresAt: ({ mutes }) => Math.max(0, ...mutes.map(({ until }) => until)) + AHEAD_AT_MOST_MS,
});

/** Returns the sources that are muted now. A mute from the future was written by a clock that was ahead, and does not count. */
export async function listMutes(ledger: Ledger): Promise<Mute[]> {
  const now = ledger.clock.now();
  return ((await all.read(ledger, mutesKey))?.value.mutes ?? []).filter(({ at, until }) => at <= now && now < until);
}

/** Mutes a source, or changes until when it is muted. Throws `slow_down` when too many are muted already. */
export const putMute = (ledger: Ledger, mute: Mute): Promise<unknown> =>
  upsertRecord(ledger, all, mutesKey, (stored) => {
    const others = (stored?.mutes ?? []).filter(({ source, until }) => source !== mute.source && until > mute.at);
    if (others.length >= MUTES_MOST) throw new BrokerError('slow_down', `${MUTES_MOST} sources are muted already.`);
    return { mutes: [...others, mute] };
  });

export const removeMute = (ledger: Ledger, { source }: Pick<Mute, 'source'>): Promise<unknown> =>
  upsertRecord(ledger, all, mutesKey, (stored) => ({
    mutes: (stored?.mutes ?? []).filter((mute) => mute.source !== source),
  }));
