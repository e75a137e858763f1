/** kill -9 under load, again and again: what was released is known and audited, what was revoked is dead, orphans die. */
import { decodeJwt } from 'jose';
import { describe, expect, it } from '@jest/globals';
import { verifyExport } from '../../src/audit/verify.js';
import { placeSchema } from '../../src/audit/chain.js';
import type { AuditEvent } from '../../src/audit/event.js';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { startRedis } from '../support/redis.js';
import { until } from '../support/until.js';

const ROUNDS = 3;
const AGENTS = 4;
/** Short, so that orphans can be seen to die. */
const LIFETIMES = { credential: 5, credentialMax: 5, task: 5, taskMax: 28_800 };

interface Told {
  /** Access tokens that were answered. */
  released: string[];
  /** Those whose revocation or completion was acknowledged, and those where the question was open when the broker died. */
  dead: Set<string>;
  unsure: Set<string>;
}

describe('a broker that is killed while it exchanges, revokes and completes', () => {
  describe.each(['lmdb', 'redis'] as const)('on %s', (kind) => {
    it('G1: has released nothing that ledger and audit log do not know; G5: nothing revoked comes back', async () => {
      const store = kind === 'redis' ? { store: (await startRedis()).url } : {};
      const broker = await startProcess({ config: { ...store, lifetimes: LIFETIMES } });
      const told: Told = { released: [], dead: new Set(), unsure: new Set() };
      for (let round = 1; round <= ROUNDS; round += 1) {
        await workUntilKilled(broker, told, round);
        await broker.start();
        await expectTruth(broker, told);
      }
      await expectAudited(broker, told);
      await expectNoOrphans(broker);
    });
  });
});

/** Agents work all at once; the broker dies some time after the last acknowledgement that the round waits for. */
async function workUntilKilled(broker: BrokerProcess, told: Told, round: number): Promise<void> {
  const before = told.released.length;
  let over = false;
  const agents = Array.from({ length: AGENTS }, async (_, number) => {
    const [identity, boss] = [await broker.identity(`agent-${number}`), await broker.identity('orchestrator')];
    for (let step = 0; !over; step += 1) await work(broker, told, { identity, boss, step }).catch(() => undefined);
  });
  await until(() => told.released.length >= before + round * 9, 'nothing was released');
  await broker.kill();
  over = true;
  await Promise.all(agents);
}

async function work(
  broker: BrokerProcess,
  told: Told,
  { identity, boss, step }: { identity: string; boss: string; step: number },
): Promise<void> {
  const { status, body } = await broker.exchange(identity);
  if (status !== 200) return;
  const { access_token: token, task_id: task } = body as { access_token: string; task_id: string };
  told.released.push(token);
  if (step % 3 === 0) return;
  told.unsure.add(token);
  const ending =
    step % 3 === 1
      ? await broker.form('/revoke', { token }, { authorization: `Bearer ${identity}` })
      : await broker.post(`/tasks/${task}/complete`, { outcome: 'completed' }, boss);
  if (ending.status === 200) told.dead.add(token);
}

async function expectTruth(broker: BrokerProcess, { released, dead, unsure }: Told): Promise<void> {
  const [api, soc] = [await broker.identity('tickets-api'), await broker.identity('soc')];
  const tokens = released.slice(-24);
  await Promise.all(
    tokens.map(async (token) => {
      const { exp = 0, jti = '' } = decodeJwt(token);
      const { active } = (await broker.introspect(token, api)).body as { active: boolean };
      if (dead.has(token)) expect(active).toBe(false);
      else if (!unsure.has(token) && Date.now() < exp * 1000) expect(active).toBe(true);
      expect((await broker.get(`/credentials/${jti}`, soc)).status).toBe(200);
    }),
  );
}

async function expectAudited(broker: BrokerProcess, { released, dead }: Told): Promise<void> {
  const soc = await broker.identity('soc');
  const { text } = await broker.get('/audit/head', soc);
  const head = placeSchema.parse(decodeJwt(text)['head']);
  const exported = await broker.get(`/audit?upTo=${head.seq}`, soc, { accept: 'application/x-ndjson' });
  const lines = exported.text.trimEnd().split('\n');
  expect(await verifyExport(lines, head)).toMatchObject({ ok: true });
  const events = lines.map((line) => JSON.parse(line) as AuditEvent);
  const granted = new Set(events.flatMap((event) => (event.type === 'credential.granted' ? [event.credential] : [])));
  for (const token of released) expect(granted).toContain(decodeJwt(token).jti);
  const ended = new Set(events.map(({ revocation }) => revocation?.selector.value));
  for (const token of dead) {
    const { jti, task } = decodeJwt<{ task: { id: string } }>(token);
    expect(ended.has(jti) || ended.has(task.id)).toBe(true);
  }
}

/** What was reserved and never released hangs on a task like everything else. */
async function expectNoOrphans(broker: BrokerProcess): Promise<void> {
  const open = async () => /^mayfly_tasks_open (\d+)/m.exec((await broker.operations.get('/metrics')).text)?.[1];
  await until(async () => (await open()) === '0', 'orphans live');
}
