/** Credentials without requests: one task each, written by the broker's own ledger code straight into its Redis. */
import type { StoreLocation } from '../../src/config/store-location.js';
import type { Task } from '../../src/domain/task.js';
import { draftImplicitTask } from '../../src/tasks/draft-task.js';
import { approvalsSchema } from '../../src/config/approvals-schema.js';
import { configSchema } from '../../src/config/schema.js';
import { signalsSchema } from '../../src/config/signals-schema.js';
import type { Settings } from '../../src/authorization/deps.js';
import type { Credential } from '../../src/domain/credential.js';
import { newId, shardOf } from '../../src/domain/id.js';
import { forgettableAt, formatEpoch } from '../../src/domain/liveness.js';
import { causeOf } from '../../src/domain/selector.js';
import { systemClock } from '../../src/domain/time.js';
import { compareClock } from '../../src/health/fitness.js';
import { watchClock } from '../../src/health/watched-clock.js';
import { draftReservation, reserve } from '../../src/ledger/credentials.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { openRevocationLog } from '../../src/ledger/revocation-log.js';
import { openStore } from '../../src/compose/open-store.js';
import { TARGET } from './broker.js';
import { many } from './issuer.js';

export interface Seeder {
  /** Live credentials of `lab:<sub>`, each under a task of its own. */
  seed(count: number, subOf: (index: number) => string): Promise<void>;
  close(): Promise<void>;
}

export const HOUR_MS = 3_600_000;

const SETTINGS: Settings = {
  approvals: approvalsSchema.parse(undefined),
  issuer: 'http://127.0.0.1:8080',
  lifetimes: configSchema.shape.lifetimes.parse(undefined),
  limits: configSchema.shape.limits.parse(undefined),
  trust: [],
  owners: {},
  targets: [],
  signals: signalsSchema.parse(undefined),
};

export async function openSeeder(redisUrl: string, prefix = 'mayfly:'): Promise<Seeder> {
  const { ledger, close } = await openLedger({ kind: 'redis', cluster: false, urls: [redisUrl] }, prefix);
  return {
    async seed(count, subOf) {
      const epoch = formatEpoch((await ledger.log.look([])).epoch);
      await many(count, (index) => seedOne(ledger, `lab:${subOf(index)}`, index, epoch));
    },
    close,
  };
}

/** A ledger by the broker's own code, without a broker. */
export async function openLedger(
  location: StoreLocation,
  prefix: string,
): Promise<{ ledger: Ledger; close: () => Promise<void> }> {
  const redis = { prefix, replicas: 0, onRestart: 'replace', onFailover: 'replace' } as const;
  const config = { redis, lifetimes: { clockSkew: 5 } };
  const store = await openStore({ store: location, config, clock: systemClock, role: 'tool' });
  const clock = watchClock(systemClock, 5_000);
  await compareClock(store, clock);
  return {
    ledger: { records: store.records, log: openRevocationLog(store.log), clock },
    close: () => store.close(),
  };
}

/** Publishes as ends of tasks do, without a receipt, straight into the log of brokers with this prefix. */
export async function publishEnds(redisUrl: string, prefix: string, count: number): Promise<void> {
  const { ledger, close } = await openLedger({ kind: 'redis', cluster: false, urls: [redisUrl] }, prefix);
  await many(count, async () => {
    const selector = { kind: 'task' as const, value: newId('tsk') };
    const at = ledger.clock.now();
    await ledger.log.publish({
      ...{ id: selector.value, cause: causeOf(selector), selector, effect: 'end', outcome: 'completed', at },
      ...{ until: forgettableAt('task', at), reason: 'benchmark', actor: 'bench' },
    });
  });
  await close();
}

async function seedOne(ledger: Ledger, workload: string, index: number, epoch: string): Promise<void> {
  const now = ledger.clock.now();
  const task = newTask(now, workload, epoch);
  const issuedAt = Math.floor(now / 1000) * 1000;
  const credential: Credential = {
    id: newId('crd', shardOf(task.id)),
    task: task.id,
    kind: 'jwt',
    target: TARGET,
    access: [{ path: `incident/${4711 + index}`, actions: ['read'] }],
    issuedAt,
    expiresAt: Math.min(issuedAt + HOUR_MS, task.deadline),
    epoch,
    state: 'active',
    // As an exchange keeps them for the token of the lab.
    claims: { team: 'sre' },
  };
  if (!(await reserve(ledger, draftReservation({ credential, task, durable: false }))))
    throw new Error('a fresh credential could not be reserved');
}

export const newTask = (now: number, workload: string, epoch: string): Task => ({
  ...draftImplicitTask(SETTINGS, now, requesterByCredential(workload, now), {
    purpose: 'summarise',
    purposeFrom: 'agent',
  }),
  epoch,
});

const requesterByCredential = (id: string, now: number) => ({
  caller: {
    party: { kind: 'workload' as const, id, issuer: 'lab', owner: 'sre', claims: {}, groups: [] },
    proofHash: '',
    issuedAt: now,
    expiresAt: now + HOUR_MS,
  },
});
