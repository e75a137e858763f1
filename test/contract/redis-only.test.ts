/** Faults that only Redis has: it is full, restarted, emptied, demoted, hung or badly configured. */
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { LogEntry, Publication } from '../../src/domain/tombstone.js';
import { openRevocationLog, type RevocationLog } from '../../src/ledger/revocation-log.js';
import { openSeenDirectory } from '../../src/ledger/seen-directory.js';
import type { RedisStoreOptions } from '../../src/store/redis/index.js';
import { LogGap, StoreUnavailable, type Store } from '../../src/store/store.js';
import { temporaryDirectory } from '../support/directory.js';
import { publication } from '../support/publication.js';
import { openStoreAt } from '../support/redis-store.js';
import { following, replicaOf, startRedis, type RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';

const open = ({ url }: RedisServer, over: Partial<RedisStoreOptions> = {}): Promise<Store> => openStoreAt(url, over);

/** A replica that has just connected may confirm later than a publication waits. The same publication is then repeated. */
async function confirmed(store: Store, what: Publication): Promise<LogEntry> {
  const entries: LogEntry[] = [];
  const isConfirmed = async () => {
    entries.push(...[(await store.log.publish(what).catch(() => undefined)) ?? []].flat());
    return entries.length > 0;
  };
  await until(isConfirmed, 'no replica confirms the publication');
  return entries[0]!;
}

/** Resolves once the connection is back. */
async function answering(store: Store): Promise<void> {
  await until(() => store.log.look([]).then(() => true, () => false), 'the store does not come back'); // prettier-ignore
}

const write = (store: Store, text = 'x') => store.records.commit({ put: [['aa/1', text]] });

it('a store that was closed leaves nothing that holds its process', async () => {
  const server = await startRedis();
  const held = (kind: string) => process.getActiveResourcesInfo().filter((one) => one === kind).length;
  const allClosed = () => until(() => held('TCPSocketWrap') === 0, 'a connection is still open');
  await allClosed();
  const timers = held('Timeout');
  const stores = await Promise.all([open(server), open(server), open(server)]);
  for (const store of stores) await store.log.publish(publication());
  for (const store of stores) await store.close();
  await allClosed();
  // Right then: ioredis waits two seconds before it destroys a connection.
  await new Promise((resolve) => setImmediate(resolve));
  expect(held('Timeout')).toBeLessThanOrEqual(timers);
});

describe('a full Redis', () => {
  it('refuses records, still takes and answers revocations, and may shrink', async () => {
    const server = await startRedis();
    const store = await open(server);
    const names = Array.from({ length: 32 }, (_, n) => `aa/${n}` as const);
    for (const name of names) await store.records.commit({ put: [[name, 'x'.repeat(64 * 1024)]] });
    const [, used] = /used_memory:(\d+)/.exec(String(await server.send('INFO', 'memory'))) ?? [];
    await server.send('CONFIG', 'SET', 'maxmemory', Number(used) - 1024 * 1024);
    await expect(write(store)).rejects.toBeInstanceOf(StoreUnavailable);
    expect((await store.health()).usedFraction).toBeGreaterThan(0.9);

    const entry = await store.log.publish(publication());
    expect(entry?.seq).toBe(1);
    expect((await store.log.look([publication().cause])).tombstones[0]).toBeDefined();
    expect(await store.log.replace(undefined, 'g')).toBe(true);
    expect(await store.records.read(['aa/0'])).toEqual(['x'.repeat(64 * 1024)]);
    expect(await store.records.commit({ remove: names, unindex: [['aa/i', 'm']] })).toBe(true);
    expect(await write(store)).toBe(true);
  });
});

it('a Redis that cannot save goes on taking revocations where it is told to, and says that nothing may be minted', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'mayfly-gone-'));
  const server = await startRedis({ dir, 'stop-writes-on-bgsave-error': 'no' });
  const store = await open(server);
  rmSync(dir, { recursive: true });
  await server.send('BGSAVE');
  const problem = 'Redis cannot save its data: its disk may be full';
  await until(async () => (await store.health()).problems.includes(problem), 'a failed save is not noticed');
  expect((await store.log.publish(publication()))?.seq).toBe(1);
});

describe('a restarted Redis', () => {
  it('that kept nothing has no generation and starts at nothing', async () => {
    const server = await startRedis();
    const store = await open(server);
    await store.log.replace(undefined, 'g');
    await store.log.publish(publication());
    await server.kill();
    await expect(store.log.look([])).rejects.toBeInstanceOf(StoreUnavailable);
    await server.start();
    await answering(store);
    expect(await store.log.look([])).toMatchObject({ generation: undefined, seq: 0, id: undefined, tombstones: [] });
  });

  it.each([
    ['always', 'replace', 'known', undefined],
    ['everysec', 'trust', 'known', undefined],
    ['always', 'trust', 'unknown', undefined],
    ['always', 'trust', 'known', 'g'],
  ] as const)(
    'with appendfsync %s under onRestart %s, its log %s, has the generation %s',
    async (appendfsync, onRestart, knowledge, kept) => {
      const server = await startRedis({ appendonly: 'yes', appendfsync });
      const store = await open(server, { onRestart });
      await store.log.replace(undefined, 'g');
      const entry = await store.log.publish(publication());
      await until(async () => !String(await server.send('INFO', 'persistence')).includes('aof_pending_bio_fsync:1'), 'fsync'); // prettier-ignore
      await server.stop();
      await server.start();
      await answering(store);
      const found = await store.log.look([]);
      expect(found).toMatchObject({ generation: undefined, foreign: 'g', seq: 1 });
      expect(await store.log.adopt({ ...found, home: '00ff' }, true)).toBe(false); // It has moved since that look.
      expect(await store.log.adopt({ ...found, foreign: 'other' }, true)).toBe(false);
      expect(await store.log.adopt(found, knowledge === 'known')).toBe(kept !== undefined);
      expect((await store.log.look([])).generation).toBe(kept);
      expect(await store.log.entries(0, 9)).toEqual([entry]);
      expect(await store.log.replace('g', 'g2')).toBe(true);
      expect((await store.log.look([])).generation).toBe('g2');
    },
  );

  it('that was another primary in between is not the same home, even when trusted', async () => {
    const server = await startRedis({ appendonly: 'yes', appendfsync: 'always' });
    const other = await startRedis();
    const store = await open(server, { onRestart: 'trust' });
    await store.log.replace(undefined, 'g');
    await other.send('REPLICAOF', '127.0.0.1', server.port);
    await until(following(other), 'the replica does not follow');
    await other.send('REPLICAOF', 'NO', 'ONE');
    await server.send('REPLICAOF', '127.0.0.1', other.port);
    await until(following(server), 'the old primary does not follow');
    await server.send('REPLICAOF', 'NO', 'ONE');
    const found = await store.log.look([]);
    expect(found).toMatchObject({ generation: undefined, foreign: 'g' });
    expect(await store.log.adopt(found, true)).toBe(false);
  });

  describe('with every write on disk, trusted by brokers that keep what they have seen', () => {
    const durable = () => ({ appendonly: 'yes', appendfsync: 'always', dir: temporaryDirectory() });
    /** A broker as far as the log goes, whose memory outlives it in a directory. */
    const broker = async (server: RedisServer, directory: string) => {
      const store = await open(server, { onRestart: 'trust' });
      return { store, log: openRevocationLog(store.log, {}, await openSeenDirectory(directory)) };
    };
    const generationAt = async ({ log }: { log: RevocationLog }) => (await log.look([])).epoch.generation;

    async function setBack() {
      const settings = durable();
      const server = await startRedis(settings);
      const [one, other] = [temporaryDirectory(), temporaryDirectory()];
      const first = await broker(server, one);
      const generation = await generationAt(first);
      await first.log.publish(publication());
      const backup = temporaryDirectory();
      cpSync(settings.dir, backup, { recursive: true });
      const second = await broker(server, other);
      const restart = async (withBackup: boolean) => {
        await server.stop();
        if (withBackup) {
          rmSync(settings.dir, { recursive: true });
          cpSync(backup, settings.dir, { recursive: true });
        }
        await server.start();
        // They start anew too, so that they know what their directories say, and nothing else.
        return { first: await broker(server, one), second: await broker(server, other) };
      };
      return { server, generation, first, second, restart };
    }

    it('keeps its generation for all of them, as often as it restarts', async () => {
      const { generation, second, restart } = await setBack();
      await second.log.publish(publication());
      expect(await generationAt(second)).toBe(generation);
      for (let n = 0; n < 2; n += 1) {
        const brokers = await restart(false);
        expect([await generationAt(brokers.first), await generationAt(brokers.second)]).toEqual([
          generation,
          generation,
        ]);
      }
    });

    it('G5: set back by a backup, has another generation for the broker that acknowledged what is missing', async () => {
      const { generation, first, restart } = await setBack();
      await first.log.publish(publication());
      expect(await generationAt((await restart(true)).first)).not.toBe(generation);
    });

    it('G5: and for whoever looks after it, though another broker that had seen less has trusted it', async () => {
      const { generation, first, second, restart } = await setBack();
      await generationAt(second);
      await first.log.publish(publication());
      const brokers = await restart(true);
      expect(await generationAt(brokers.second)).toBe(generation); // It cannot know.
      const replaced = await generationAt(brokers.first);
      expect([await generationAt(brokers.first), await generationAt(brokers.second)]).toEqual([replaced, replaced]);
      expect(replaced).not.toBe(generation);
    });

    it('G5: also where as many others were published since, and after an older generation came back', async () => {
      const { generation, first, restart } = await setBack();
      await first.log.publish(publication());
      const { second } = await restart(true);
      await second.store.log.publish(publication());
      expect(await generationAt(second)).not.toBe(generation); // Nothing was kept in its directory: it trusts nothing.
      const again = await restart(true);
      const [replaced, newest] = [await generationAt(again.first), await generationAt(again.second)];
      expect(new Set([generation, replaced, newest]).size).toBe(3); // They know different newer ones.
      expect(await generationAt(again.first)).toBe(newest);
    });

    it('and a host that rested finds it whole, though what it saw last is no longer kept', async () => {
      const server = await startRedis(durable());
      const directory = temporaryDirectory();
      const rested = await broker(server, directory);
      await rested.log.publish(publication());
      const generation = await generationAt(rested);
      const { store } = await broker(server, temporaryDirectory());
      for (let count = 0; count < 3; count += 1) await store.log.publish(publication());
      const [entries = ''] = (await server.send('KEYS', '*entries*')) as string[];
      await server.send('XTRIM', entries, 'MAXLEN', '1');
      expect(await generationAt(await broker(server, directory))).toBe(generation);
    });

    it('acknowledges nothing that cannot be kept', async () => {
      const server = await startRedis(durable());
      const directory = temporaryDirectory();
      const { log } = await broker(server, directory);
      await log.look([]);
      await until(() => readdirSync(directory).length === 1, 'the generation is not kept');
      rmSync(directory, { recursive: true });
      await expect(log.publish(publication())).rejects.toThrow(`${directory} cannot be written (ENOENT)`);
      await expect(openSeenDirectory(join(process.execPath, 'none'))).rejects.toThrow('cannot be written');
    });
  });
});

describe('Redis', () => {
  it('emptied by FLUSHALL has no generation', async () => {
    const server = await startRedis();
    const store = await open(server);
    await store.log.replace(undefined, 'g');
    await server.send('FLUSHALL');
    expect((await store.log.look([])).generation).toBeUndefined();
  });

  it('that trimmed its entries says so to who lags behind, and still knows what was published', async () => {
    const server = await startRedis();
    const store = await open(server);
    const first = publication();
    const [entry] = [await store.log.publish(first), await store.log.publish(publication())];
    await server.send('XTRIM', 't:{log}!entries', 'MAXLEN', 1);
    await expect(store.log.entries(0, 9)).rejects.toBeInstanceOf(LogGap);
    expect(await store.log.entries(1, 9)).toHaveLength(1);
    expect(await store.log.publish(first)).toEqual(entry);
    await server.send('DEL', 't:{log}!entries');
    await expect(store.log.entries(1, 9)).rejects.toBeInstanceOf(LogGap);
    expect(await store.log.entries(2, 9)).toEqual([]);
  });

  it('that forgot our scripts gets them again', async () => {
    const server = await startRedis();
    const store = await open(server);
    await write(store);
    await server.send('SCRIPT', 'FLUSH');
    expect(await write(store)).toBe(true);
    expect((await store.log.publish(publication()))?.seq).toBe(1);
  });

  it('demoted to a replica refuses to look, to list entries, to take a snapshot and to write', async () => {
    const [server, other] = [await startRedis(), await startRedis()];
    const store = await open(server);
    await store.log.publish(publication());
    await server.send('REPLICAOF', '127.0.0.1', other.port);
    await until(following(server), 'does not follow');
    const asked = [store.log.look([]), store.log.entries(0, 9), store.log.snapshot(), store.log.publish(publication()), write(store)]; // prettier-ignore
    for (const result of await Promise.allSettled(asked)) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailable) });
    }
    // The store connects anew, in case its address leads to the primary by now.
    const problems = async () => (await store.health().catch(() => undefined))?.problems ?? [];
    const isNamed = async () => (await problems()).includes('Redis is a replica: revocations cannot be written');
    await until(isNamed, 'the health of the store does not name the replica');
  });

  it('that hangs is unavailable, and available again when it goes on', async () => {
    const server = await startRedis();
    const store = await open(server);
    await write(store);
    server.signal('SIGSTOP');
    const asked = [write(store), store.records.read(['aa/1']), store.log.look([]), store.log.publish(publication())];
    for (const result of await Promise.allSettled(asked)) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.any(StoreUnavailable) });
    }
    server.signal('SIGCONT');
    await answering(store);
    expect(await write(store)).toBe(true);
  });

  it('errs without showing keys or values', async () => {
    const server = await startRedis();
    const store = await open(server);
    await server.send('SET', 't:{aa}>index', 'not an index');
    const error = await store.records.commit({ put: [['aa/key-material', 'value-material']], index: [['aa/index', 'member-material', 1]] }).catch((reason: unknown) => reason); // prettier-ignore
    expect(error).toBeInstanceOf(StoreUnavailable);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/material/);
  });

  it('that may evict, or is a replica, or is not there, is refused at the start', async () => {
    const evicting = await startRedis({ 'maxmemory-policy': 'allkeys-lru' });
    await expect(open(evicting)).rejects.toThrow('noeviction');
    const replica = await replicaOf(await startRedis());
    await expect(open(replica)).rejects.toThrow('name the primary');
    const gone = await startRedis();
    await gone.kill();
    await expect(open(gone)).rejects.toBeInstanceOf(StoreUnavailable);
  });

  it('made unfit while it runs says so', async () => {
    const server = await startRedis();
    const store = await open(server);
    await server.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru', 'save', '');
    expect((await store.health()).problems).toEqual([
      'Redis may evict what it must keep: set maxmemory-policy to noeviction',
      'Redis persists nothing: set appendonly yes, or save',
    ]);
  });
});

describe('required replicas', () => {
  it('have a publication before it is acknowledged; without them it is unknown, also when repeated', async () => {
    const server = await startRedis();
    const replica = await replicaOf(server);
    await until(following(replica), 'does not follow');
    const store = await open(server, { replicas: 1 });
    expect((await confirmed(store, publication())).seq).toBe(1);
    expect(await replica.send('HGET', 't:{log}!head', 'seq')).toBe('1');
    expect((await store.health()).problems).toEqual([]);

    await replica.kill();
    const second = publication();
    await expect(store.log.publish(second)).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(store.log.publish(second)).rejects.toBeInstanceOf(StoreUnavailable);
    expect((await store.log.look([])).seq).toBe(2);
    expect((await store.health()).problems).toEqual(['Redis has 0 replicas connected, 1 are required']);

    await replica.start();
    await until(following(replica), 'does not follow again');
    expect((await confirmed(store, second)).seq).toBe(2);
  });
});
