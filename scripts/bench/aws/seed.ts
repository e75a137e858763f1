/** Sessions without STS: each has a task of its own, and the records that the broker would write. */
import type { Credential } from '../../../src/domain/credential.js';
import { newId, shardOf } from '../../../src/domain/id.js';
import { formatEpoch } from '../../../src/domain/liveness.js';
import { activate, draftReservation, reserve } from '../../../src/ledger/credentials.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { many } from '../issuer.js';
import { HOUR_MS, newTask } from '../seed.js';
import { ROLE, TENANT_42 } from './account.js';

export interface Seeded {
  id: string;
  taskId: string;
}

const WORKLOADS = 20;

export async function seedSessions(ledger: Ledger, count: number): Promise<Seeded[]> {
  const epoch = formatEpoch((await ledger.log.look([])).epoch);
  return many(count, async (index) => {
    const now = ledger.clock.now();
    const task = newTask(now, `lab:agent-${index % WORKLOADS}`, epoch);
    const issuedAt = Math.floor(now / 1_000) * 1_000;
    const credential: Credential = {
      id: newId('crd', shardOf(task.id)),
      task: task.id,
      kind: 'aws-sts',
      target: ROLE,
      access: [{ path: TENANT_42.replace('/*', '/**'), actions: ['s3:GetObject'] }],
      issuedAt,
      expiresAt: Math.min(issuedAt + HOUR_MS, task.deadline),
      epoch,
      state: 'reserved',
      workloadSeq: 0,
    };
    const reserved = await reserve(ledger, draftReservation({ credential, task, durable: true }));
    if (!reserved || !(await activate(ledger, reserved, `ASIA${index}`)))
      throw new Error('a fresh session could not be written down');
    return { id: credential.id, taskId: task.id };
  });
}
