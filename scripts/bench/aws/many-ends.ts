/** Thousands of tasks that hold sessions of one role end at once: how often IAM is written to, and when all of them are dead. */
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { findCredential } from '../../../src/ledger/credentials.js';
import { readEnforcement } from '../../../src/ledger/enforcement.js';
import type { Ledger } from '../../../src/ledger/ledger.js';
import { readTask } from '../../../src/ledger/tasks.js';
import { processCredentialsSchema, type ProcessCredentials } from '../../../src/protocol/aws-credentials.js';
import { PROPAGATION_MS } from '../../../src/domain/timing.js';
import { sessionEffect } from '../../../src/revocation/effects.js';
import { endTask } from '../../../src/tasks/end-task.js';
import { AUDIENCE, LAB, type Broker } from '../broker.js';
import { many, type Signer } from '../issuer.js';
import { CONNECTIONS, drive, post } from '../load.js';
import { ROLE, type Aws, type Write } from './account.js';
import { throughBroker } from './overhead.js';
import type { Seeded } from './seed.js';

export interface ManyEnds {
  ended: number;
  /** The time until the last end was acknowledged. */
  endingSeconds: number;
  /** The times from then until the last end was written to the role, and until it counted as effective. */
  writtenSeconds: number;
  effectiveSeconds: number;
  writes: Write[];
  /** The time from the first end until the first write to IAM. */
  firstWriteSeconds: number;
  /** How often each effect was the answer of `GET /credentials/{id}` for a sample. */
  effects: Record<string, number>;
  /** Real sessions: how many read an object before, and after. */
  real: { before: number; after: number };
}

const REAL = 200;
const SAMPLE = 1_000;
const PATIENCE_MS = 60_000;

const issuedSchema = z.object({ access_token: z.string(), task_id: z.string() });

export async function measureManyEnds(
  { aws, broker, lab }: { aws: Aws; broker: Broker; lab: Signer },
  ledger: Ledger,
  seeded: readonly Seeded[],
): Promise<ManyEnds> {
  const { answers } = await drive(await throughBroker(broker, lab, REAL, CONNECTIONS));
  const real = answers.map((answer) => issuedSchema.parse(JSON.parse(answer)));
  const keys = real.map(({ access_token: text }) => processCredentialsSchema.parse(JSON.parse(text)));
  const before = await reading(aws, keys);
  const writesBefore = (await aws.writes()).length;

  const [from, startedAt] = [performance.now(), Date.now()];
  const ids = real.map(({ task_id: id }) => id);
  await Promise.all([endSeeded(ledger, seeded), completeReal(broker, lab, ids)]);
  const endedAt = performance.now();
  const written = await untilWritten(ledger, 0);
  const effective = await untilWritten(ledger, PROPAGATION_MS);

  const writes = (await aws.writes()).slice(writesBefore);
  const found = await many(Math.min(SAMPLE, seeded.length), async (index) => {
    const one = await findCredential(ledger, seeded[index * Math.floor(seeded.length / SAMPLE)]?.id ?? '');
    return (one && (await sessionEffect(ledger, one))?.effect) ?? 'alive';
  });
  return {
    ended: seeded.length + ids.length,
    endingSeconds: (endedAt - from) / 1_000,
    firstWriteSeconds: ((writes[0]?.at ?? NaN) - startedAt) / 1_000,
    writtenSeconds: (written - endedAt) / 1_000,
    effectiveSeconds: (effective - endedAt) / 1_000,
    writes,
    effects: Object.fromEntries(
      [...new Set(found)].map((effect) => [effect, found.filter((one) => one === effect).length]),
    ),
    real: { before, after: await reading(aws, keys) },
  };
}

/** Ends the tasks as their completion would, but without a request for each. */
async function endSeeded(ledger: Ledger, seeded: readonly Seeded[]): Promise<void> {
  await many(seeded.length, async (index) => {
    const stored = await readTask(ledger, seeded[index]?.taskId ?? '');
    if (stored)
      await endTask(ledger, stored.value, { as: 'completed', reason: 'benchmark', actor: 'lab:orchestrator' });
  });
}

async function completeReal({ url }: Broker, lab: Signer, tasks: readonly string[]): Promise<void> {
  const [bearer = ''] = await lab.tokens(1, () => ({ iss: LAB, sub: 'orchestrator', aud: AUDIENCE, team: 'ops' }));
  const headers = { Authorization: `Bearer ${bearer}`, 'Content-Type': 'application/json' };
  for (const id of tasks) {
    const { status, text } = await post(`${url}/tasks/${id}/complete`, { headers, body: '{"outcome":"completed"}' });
    if (status !== 200) throw new Error(`the completion was answered ${status}: ${text}`);
  }
}

/** Returns when everything in the log had been written to the role for the given time; NaN when that takes too long. */
async function untilWritten(ledger: Ledger, forMs: number): Promise<number> {
  const { seq } = (await ledger.log.look([])).epoch;
  const until = performance.now() + PATIENCE_MS;
  while (performance.now() < until) {
    const marks = (await readEnforcement(ledger, ROLE))?.value.marks ?? [];
    if (marks.some((mark) => mark.seq >= seq && mark.at + forMs <= Date.now())) return performance.now();
    await pause(50);
  }
  return NaN;
}

/** Returns how many of these sessions can read an object now. */
async function reading({ url }: Aws, keys: readonly ProcessCredentials[]): Promise<number> {
  const statuses = await many(keys.length, async (index) => {
    const { AccessKeyId = '', SessionToken = '' } = keys[index] ?? {};
    const headers = { 'x-access-key-id': AccessKeyId, 'x-security-token': SessionToken };
    return (await fetch(`${url}/s3/customer-data/tenant-42/a.txt`, { headers })).status;
  });
  return statuses.filter((status) => status === 200).length;
}
