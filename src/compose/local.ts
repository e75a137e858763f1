/**
 * Opens the broker's store for the command line, on the broker's host, with the store's own credentials. It works beside a
 * running broker and without one. A revocation published here is entered into the audit log by the next broker.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openAuditLog, type AuditLog } from '../audit/log.js';
import { loadConfig, type LoadedConfig } from '../config/load.js';
import { defined } from '../domain/defined.js';
import { LOCAL } from '../domain/reserved.js';
import { DAY_MS, type SystemClock } from '../domain/time.js';
import { compareClock } from '../health/fitness.js';
import { watchClock } from '../health/watched-clock.js';
import { decoySigner } from '../keys/decoy-signer.js';
import { loadKeyEncryptionKey } from '../keys/key-encryption-key.js';
import { openKeys, type Keys } from '../keys/keys.js';
import type { Ledger } from '../ledger/ledger.js';
import { openRevocationLog } from '../ledger/revocation-log.js';
import { createJwtMinter } from '../minters/jwt.js';
import type { Minter } from '../minters/minter.js';
import type { Store } from '../store/store.js';
import { openSeen, openStore } from './open-store.js';

export interface Local {
  store: Store;
  system: SystemClock;
  ledger: Ledger;
  config: LoadedConfig['config'];
  /** The trust entries, which say what ids can exist. */
  trust: LoadedConfig['config']['trust'];
  /** Opens keys and audit log when they are needed: revoking must work even when keys cannot be unsealed. */
  signing: () => Promise<{
    keys: Keys;
    audit: AuditLog;
    /** Mints tokens that look like the broker's, and that no verifier accepts. */
    decoyMinter: Minter;
  }>;
}

/** @param path The configuration; default: MAYFLY_CONFIG. */
export async function locally<T>(
  path: string | undefined,
  system: SystemClock,
  work: (local: Local) => Promise<T>,
): Promise<T> {
  const loaded = await loadConfig(defined({ path, checkFiles: false }));
  const { config, store: where } = loaded;
  if (where.kind === 'lmdb' && !existsSync(join(where.directory, 'data.mdb'))) {
    // Opening would create an empty store, and a revocation in it would have no effect on the broker.
    throw new Error(`There is no store in ${where.directory}: is this the configuration of the broker?`);
  }
  const store = await openStore({ store: where, config, clock: system, role: 'tool' });
  const { records, log } = store;
  const clock = watchClock(system, config.lifetimes.clockSkew * 1000);
  try {
    // A store whose state cannot be read may still take a revocation.
    await compareClock(store, clock).catch(() => undefined);
    const seen = await openSeen(config.redis);
    return await work({
      store,
      system,
      ledger: {
        ...{ records, clock, log: openRevocationLog(log, {}, seen) },
        auditRetentionMs: config.audit.retentionDays * DAY_MS,
      },
      config,
      trust: config.trust,
      async signing() {
        const keyEncryptionKey = await loadKeyEncryptionKey(loaded.keyEncryptionKey);
        const keys = await openKeys({ records, clock, keyEncryptionKey });
        const { issuer } = config;
        return {
          keys,
          audit: openAuditLog({ records, log, clock, keys, issuer, node: LOCAL }),
          decoyMinter: createJwtMinter({ keys: await decoySigner(keys), issuer }),
        };
      },
    });
  } finally {
    await store.close();
  }
}
