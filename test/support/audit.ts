/** For tests of the audit log: its parts around a store, entries, and a store that fails in every way a network does. */
import { randomBytes } from 'node:crypto';
import { expect } from '@jest/globals';
import type { AuditEvent } from '../../src/audit/event.js';
import { openAuditLog, type AuditDeps, type AuditLog } from '../../src/audit/log.js';
import { verifyExport } from '../../src/audit/verify.js';
import type { Clock } from '../../src/domain/time.js';
import { openKeys, type Keys } from '../../src/keys/keys.js';
import { StoreUnavailable, type Records, type Store } from '../../src/store/store.js';
import { modelStore } from './search/model-store.js';

export const issuer = 'http://127.0.0.1:8080';

export interface AuditSetting {
  keys: Keys;
  open(over?: Partial<AuditDeps>): AuditLog;
  /** The reasons of all entries, in order. */
  reasons(): Promise<string[]>;
  lines(): Promise<string[]>;
  /** The chain is whole, from its checkpoint to its head. */
  expectWhole(): Promise<void>;
}

export async function auditSetting(store: Store, clock: Clock): Promise<AuditSetting> {
  const keyEncryptionKey = new Uint8Array(randomBytes(32));
  const keys = await openKeys({ records: modelStore(clock).records, clock, keyEncryptionKey, rotationDays: 30 });
  const { records, log } = store;
  const open = (over: Partial<AuditDeps> = {}): AuditLog =>
    openAuditLog({ records, log, clock, keys, issuer, node: 'one', giveUpAfterMs: 20_000, ...over });
  const lines = async (): Promise<string[]> => {
    const all: string[] = [];
    for await (const line of open().exportLines()) all.push(line);
    return all;
  };
  return {
    keys,
    open,
    lines,
    reasons: async () => (await lines()).map((line) => (JSON.parse(line) as AuditEvent).reason ?? ''),
    async expectWhole() {
      const { checkpoint, ...head } = await open().head();
      expect(await verifyExport(await lines(), head, checkpoint)).toMatchObject({ ok: true });
    },
  };
}

export const entry = (reason: string, over: Partial<AuditEvent> = {}): AuditEvent => ({
  type: 'operation.refused',
  at: 1_900_000_000_000,
  reason,
  ...over,
});

/** `lost`: done, but the answer never came. `refused`: not done. `late`: not done yet, but later. */
export type Fate = 'done' | 'lost' | 'refused' | 'late';

export function unreliable(records: Records, fate: () => Fate): Records {
  const late: (() => Promise<unknown>)[] = [];
  const arrive = async (): Promise<void> => {
    await late.shift()?.();
  };
  return {
    ...records,
    async read(keys) {
      const answer = await records.read(keys);
      await arrive();
      return answer;
    },
    async commit(change) {
      const is = fate();
      if (is === 'late') late.push(() => records.commit(change));
      if (is === 'done') return records.commit(change);
      if (is === 'lost') await records.commit(change);
      throw new StoreUnavailable(is);
    },
  };
}
