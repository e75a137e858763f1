/**
 * The way back when the time agreed on lies ahead, on the broker's host. Once a wrong time was agreed on (all hosts and the store
 * were an hour ahead), no right clock is believed until that hour has passed. What had expired by the wrong time must not live
 * again, so everything is ended before that time is removed.
 */
import type { AuditLog } from '../audit/log.js';
import { LOCAL } from '../domain/reserved.js';
import type { SystemClock } from '../domain/time.js';
import { readAgreedTime, removeAgreedTime, type AgreedTime } from '../health/agreed-time.js';
import { watchClock } from '../health/watched-clock.js';
import type { Ledger } from '../ledger/ledger.js';
import { renewGeneration } from '../ledger/revocation-log.js';
import { publishRevocation } from '../revocation/publish-revocation.js';
import type { Store } from '../store/store.js';
import type { Local } from './local.js';

interface Times {
  /** By the clock of this host. Milliseconds, like the next one. */
  host: number;
  /** By the store's own clock. */
  store: number;
  agreed: AgreedTime;
}

interface TakeBackDeps {
  store: Pick<Store, 'health' | 'records' | 'log'>;
  system: SystemClock;
  /** Its log keeps what it publishes in mind, as `redis.seenDirectory` wants. */
  ledger: Pick<Ledger, 'log'>;
  config: Pick<Local['config'], 'lifetimes' | 'trust'>;
  signing: () => Promise<{ audit: Pick<AuditLog, 'append'> }>;
}

export async function readTimes(store: Pick<Store, 'health' | 'records'>, system: SystemClock): Promise<Times> {
  const [health, agreed] = await Promise.all([store.health(), readAgreedTime(store)]);
  return { host: system.reading(), store: health.clock, agreed };
}

/**
 * Ends everything, then removes the time agreed on, so that brokers believe a clock like this host's again. Throws if that time is
 * not ahead, or if host and store do not agree. If it fails on the way, more is dead than before, and it can be repeated.
 * @param reason for the audit log
 */
export async function takeBackAgreedTime(
  { store, system, ledger: { log: revocations }, config, signing }: TakeBackDeps,
  reason: string,
): Promise<void> {
  const skewMs = config.lifetimes.clockSkew * 1000;
  const times = await readTimes(store, system);
  const agreed = agreedAhead(times, skewMs);
  const { audit } = await signing();
  const { log } = store;
  // This clock has heard of no time agreed on: what is published now carries the time of host and store.
  const clock = watchClock(system, skewMs);
  clock.compare({ store: times.store, agreed: undefined });

  await renewGeneration(log);
  const why = `The time agreed on was ${aheadMs(times) / 1000} s ahead: ${reason}`;
  await audit.append({ type: 'log.replaced', at: clock.now(), actor: { id: LOCAL }, reason: why });
  // A new generation ends no proof of identity, and a clock that was ahead may have made brokers forget a cutoff too early.
  const ledger = { records: store.records, log: revocations, clock };
  for (const { name } of config.trust) {
    const everyProof = { selector: { kind: 'issuer', value: name }, effect: 'cutoff' } as const;
    await publishRevocation(ledger, { ...everyProof, reason: why, actor: LOCAL });
  }
  if (await removeAgreedTime(store, agreed)) return;
  throw new Error(
    'A broker has raised the time agreed on meanwhile: its clock is still ahead. Set it right, and try again.',
  );
}

/** Returns the time agreed on, which is ahead of host and store. Throws if it is not, or if those two do not agree. */
function agreedAhead(times: Times, skewMs: number): NonNullable<AgreedTime> {
  const { host, store, agreed } = times;
  if (!agreed) throw new Error('No time was agreed on yet.');
  const apartMs = Math.abs(host - store);
  if (apartMs > skewMs)
    throw new Error(
      `The clocks of this host and of the store are ${apartMs / 1000} s apart: one is wrong. Set it right first.`,
    );
  if (aheadMs(times) <= skewMs)
    throw new Error('The time agreed on is not ahead of this clock, so brokers believe this clock already.');
  return agreed;
}

/** Returns how far the time agreed on lies ahead of this host; negative where it lies behind. */
const aheadMs = ({ host, agreed }: Times): number => (agreed?.value.time ?? -Infinity) - host;
