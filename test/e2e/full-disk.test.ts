/**
 * A broker whose disk is really full. The store is LMDB on a small file system that the test fills; a Redis of which the disk
 * is full is in redis-loss.test.ts.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { NAME_CHARACTERS_MAX } from '../../src/domain/name.js';
import { systemClock } from '../../src/domain/time.js';
import { openLmdb } from '../../src/store/lmdb.js';
import { startProcess, type BrokerProcess } from '../support/brokers/process.js';
import { publication } from '../support/publication.js';
import { canMount, smallDisk, type SmallDisk } from '../support/small-disk.js';
import { until } from '../support/until.js';

const MIB = 1024 * 1024;
/** A tenth of it, the room of grants alone, is far more than what one grant writes. */
const LEFT = 6 * MIB;

interface Scene {
  disk: SmallDisk;
  broker: BrokerProcess;
  soc: string;
  api: string;
}

async function scene(): Promise<Scene> {
  const disk = smallDisk(40 * MIB);
  if (!disk) throw new Error('this test needs the right to mount a tmpfs, or `prlimit` of util-linux');
  const broker = await startProcess({
    config: { store: `lmdb:${join(disk.directory, 'store')}` },
    command: (...argv) => disk.command(...argv),
  });
  return { disk, broker, soc: await broker.identity('soc'), api: await broker.identity('tickets-api') };
}

const exchanged = async ({ broker }: Scene, sub: string) => {
  const { status, body } = await broker.exchange(await broker.identity(sub));
  return { status, body: body as { access_token: string; error_description: string } };
};
const isActive = async ({ broker, api }: Scene, token: string) =>
  ((await broker.introspect(token, api)).body as { active: boolean }).active;
const held = (workload: string) => ({ selector: { kind: 'workload', value: workload }, reason: 'test', unseen: true });
const revoke = async ({ broker, soc }: Scene, workload: string) => broker.post('/revocations', held(workload), soc);
const beside = ({ disk }: Scene) =>
  openLmdb({ directory: join(disk.directory, 'store'), clock: systemClock, role: 'tool' });

/** Returns whether a caller without any right is refused, and the audit log has no line of it. */
async function leavesNoRefusal({ broker, soc }: Scene): Promise<boolean> {
  const lines = async () =>
    ((await broker.get('/audit?type=operation.refused&limit=1000', soc)).body as { lines: string[] }).lines.length;
  const before = await lines();
  const nobody = await broker.identity(randomUUID(), { team: 'none' });
  expect((await broker.post('/revocations', held('lab:x'), nobody)).status).toBe(403);
  return (await lines()) === before;
}

/**
 * Uses up what is left for records, and waits until the broker knows.
 * @param inLastFifth What must hold as long as there is room for grants alone.
 */
async function fill(here: Scene, inLastFifth: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  const { disk, broker } = here;
  disk.fill(broker.pid(), LEFT);
  const store = await beside(here);
  const text = 'x'.repeat(20_000);
  const commit = (n: number) => store.records.commit({ put: [[`aa/${n}`, text]] });
  const refusals: unknown[] = [];
  let isNearlyFull = false;
  for (let n = 0; refusals.length === 0; n += 1) {
    await commit(n).catch((error: unknown) => refusals.push(error));
    if (isNearlyFull || (await store.health()).usedFraction < 0.82) continue;
    isNearlyFull = true;
    await inLastFifth();
  }
  // Where the test may not mount a disk of its own, the size of the file is what is limited, and the broker sees the whole disk.
  expect(isNearlyFull).toBe(canMount());
  expect(refusals).toMatchObject([{ message: expect.stringContaining('kept for revocations') }]);
  await store.close();
  await until(async () => !(await broker.isReady()), 'a full disk is not noticed');
}

it('G6: on a full disk nothing is minted and revoking goes on, also after a crash, by API and by command line', async () => {
  const here = await scene();
  const { disk, broker, soc } = here;
  const tokens = [];
  for (const sub of ['agent-1', 'agent-2', 'agent-3']) tokens.push((await exchanged(here, sub)).body.access_token);
  const [one = '', two = '', three = ''] = tokens;
  const before = (await revoke(here, 'lab:agent-5')).body as { seq: number };
  await fill(here, async () => {
    // This process has written, and made the file longer. The broker sees that, and how full the store is.
    expect(await broker.isReady()).toBe(true);
    expect(await leavesNoRefusal(here)).toBe(true);
    expect((await exchanged(here, 'agent-4')).body).toHaveProperty('access_token');
  });
  expect((await exchanged(here, 'agent-1')).body.error_description).toMatch(/cannot mint safely now.*(space|write)/);

  expect((await revoke(here, 'lab:agent-1')).status).toBe(200);
  expect([await isActive(here, one), await isActive(here, two)]).toEqual([false, true]);
  const more = await Promise.all(Array.from({ length: 50 }, (_, i) => revoke(here, `lab:other-${i}`)));
  expect(new Set(more.map(({ status }) => status))).toEqual(new Set([200]));
  const ordered = broker.mayfly('revocations', 'revoke', 'workload', 'lab:agent-2', '--reason', 'stolen');
  expect(ordered).toEqual({ ended: 0, said: expect.stringMatching(/^\d+: hold of workload lab:agent-2 hit/) });
  expect(await isActive(here, two)).toBe(false);

  await broker.kill();
  await broker.start('live');
  expect(await broker.isReady()).toBe(false);
  expect([await isActive(here, one), await isActive(here, two), await isActive(here, three)]).toEqual([
    false,
    false,
    true,
  ]);
  expect((await revoke(here, 'lab:agent-3')).status).toBe(200);
  expect(await isActive(here, three)).toBe(false);
  expect((await broker.remove(`/revocations/${before.seq}`, soc)).status).toBe(200);
  const placed = (await revoke(here, 'lab:agent-6')).body as { seq: number };
  expect(broker.mayfly('revocations', 'lift', String(placed.seq)).ended).toBe(0);

  disk.free(broker.pid());
  await until(() => broker.isReady(), 'the broker does not recover');
  expect([(await exchanged(here, 'agent-5')).status, (await exchanged(here, 'agent-6')).status]).toEqual([200, 200]);
  expect((await exchanged(here, 'agent-1')).status).toBe(400);
  const receipts = async () =>
    ((await broker.get('/revocations', soc)).body as { revocations: unknown[] }).revocations.length;
  await until(async () => (await receipts()) === 1 + 1 + 50 + 1 + 1 + 1, 'receipts are missing');
});

it('G6: when even the room that was kept is used up, a revocation is refused, the broker stays up, and it starts again', async () => {
  const here = await scene();
  const { disk, broker } = here;
  const { access_token: token } = (await exchanged(here, 'agent-1')).body;
  await fill(here);
  expect(await useUpRoom(here)).toBeGreaterThan(1_000);

  expect((await revoke(here, 'lab:agent-1')).status).toBe(503);
  const refused = broker.mayfly('revocations', 'revoke', 'workload', 'lab:agent-1', '--reason', 'stolen');
  expect(refused).toEqual({ ended: 1, said: expect.stringMatching(/^the disk is full.*used up\n$/) });
  expect([(await broker.operations.get('/health/live')).status, await isActive(here, token)]).toEqual([200, true]);
  await broker.kill();
  await broker.start('live');
  expect(await isActive(here, token)).toBe(true);

  disk.free(broker.pid());
  await until(() => broker.isReady(), 'the broker does not recover');
  expect((await revoke(here, 'lab:agent-1')).status).toBe(200);
  expect(await isActive(here, token)).toBe(false);
  broker.signal('SIGTERM');
  expect(await broker.ended()).toBe(0);
});

const longestName = () => `lab:${randomUUID()}`.padEnd(NAME_CHARACTERS_MAX, 'x');

/** Publishes beside the broker, with the longest names, until the disk refuses everything. Returns how often that went well. */
async function useUpRoom(here: Scene): Promise<number> {
  const store = await beside(here);
  let published = 0;
  for (const atOnce of [100, 10, 1]) {
    for (let refusals = 0; refusals < 20;) {
      const batch = Array.from({ length: atOnce }, () => publication({ workload: longestName() }));
      const results = await Promise.allSettled(batch.map((each) => store.log.publish(each)));
      const taken = results.filter(({ status }) => status === 'fulfilled').length;
      published += taken;
      refusals = taken === 0 ? refusals + 1 : 0;
    }
  }
  await store.close();
  return published;
}
