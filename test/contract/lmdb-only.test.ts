/** What only an embedded store must withstand: a second owner, a sudden end, a copied directory. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { openLmdb } from '../../src/store/lmdb.js';
import { handClock } from '../support/clock.js';
import { temporaryDirectory } from '../support/directory.js';
import { publication } from '../support/publication.js';

const clock = handClock();
const broker = (directory: string) => openLmdb({ directory, clock, role: 'broker' });
const tool = (directory: string) => openLmdb({ directory, clock, role: 'tool' });

/** A process that owns the directory and writes. It is ended with SIGKILL after so many acknowledgements. */
async function writer(directory: string, prefix: string, each: (acknowledged: number) => Promise<boolean>) {
  const script = fileURLToPath(new URL('../support/store-writer.mjs', import.meta.url));
  const child = spawn(process.execPath, [script, directory, prefix], { stdio: ['ignore', 'pipe', 'inherit'], env: {} });
  const closed = once(child, 'close');
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (await each(lines.length)) child.kill('SIGKILL');
  }
  await closed;
  return { lines, pid: child.pid ?? 0 };
}

it.each(['a new directory', 'one that was open to everybody'])(
  'nobody else may read the files in %s',
  async (which) => {
    const directory = join(temporaryDirectory(), 'store');
    const modes = () =>
      Object.fromEntries(
        ['.', 'data.mdb', 'lock.mdb'].map((name) => [name, statSync(join(directory, name)).mode & 0o777]),
      );
    if (which !== 'a new directory') {
      await (await broker(directory)).close();
      for (const [name, mode] of [
        ['.', 0o777],
        ['data.mdb', 0o666],
        ['lock.mdb', 0o666],
      ] as const)
        chmodSync(join(directory, name), mode);
    }
    const store = await broker(directory);
    expect(modes()).toEqual({ '.': 0o700, 'data.mdb': 0o600, 'lock.mdb': 0o600 });
    await store.close();
  },
);

it('a second broker is refused with the process id of the first; a tool is not', async () => {
  const directory = temporaryDirectory();
  let refusal: unknown;
  const { pid } = await writer(directory, 'x', async (acknowledged) => {
    if (acknowledged !== 4) return false;
    refusal = await broker(directory).catch((error: unknown) => error);
    const beside = await tool(directory);
    expect((await beside.log.look([])).seq).toBeGreaterThan(0);
    expect((await beside.log.publish(publication()))?.seq).toBeGreaterThan(1);
    await beside.close();
    return true;
  });
  expect(refusal).toBeInstanceOf(Error);
  expect(String(refusal)).toContain(`process id ${pid}`);
});

it('a broker that closed gives the directory up', async () => {
  const directory = temporaryDirectory();
  const first = await broker(directory);
  await expect(broker(directory)).rejects.toThrow(`process id ${process.pid}`);
  await first.records.commit({ put: [['aa/1', 'kept']] });
  await first.close();
  const second = await broker(directory);
  expect(await second.records.read(['aa/1'])).toEqual(['kept']);
  await second.close();
});

it('a broker killed while it writes leaves everything acknowledged, nothing by halves, and no lock', async () => {
  const directory = temporaryDirectory();
  const said: string[] = [];
  for (const [round, count] of [25, 60, 120].entries()) {
    said.push(...(await writer(directory, `r${round}`, (n) => Promise.resolve(n === count))).lines);
  }
  const store = await broker(directory);
  const acknowledged = said.filter((line) => line.startsWith('record')).map((line) => line.slice('record '.length));
  const listed = await store.records.range('aa/all', { limit: 10_000 });
  expect(listed.map(([member]) => member)).toEqual(expect.arrayContaining(acknowledged));
  for (const [name] of listed) {
    expect(await store.records.read([`aa/left-${name}`, `aa/right-${name}`])).toEqual([name, name]);
  }
  const { seq } = await store.log.look([]);
  const entries = await store.log.entries(0, 10_000);
  expect(entries.map((entry) => entry.seq)).toEqual(Array.from({ length: seq }, (_, i) => i + 1));
  for (const line of said) if (line.startsWith('entry')) expect(Number(line.slice(6))).toBeLessThanOrEqual(seq);
  await store.close();
});

it('a copied directory is another home: its generation is foreign, its entries are kept', async () => {
  const directory = temporaryDirectory();
  const original = await broker(directory);
  await original.log.replace(undefined, 'g');
  const entry = await original.log.publish(publication());
  await original.close();
  const copied = join(temporaryDirectory(), 'copy');
  cpSync(directory, copied, { recursive: true });

  const copy = await broker(copied);
  const found = await copy.log.look([]);
  expect(found).toMatchObject({ generation: undefined, foreign: 'g', seq: 1, tombstones: [] });
  expect(await copy.log.adopt(found, true)).toBe(false);
  expect(await copy.log.entries(0, 9)).toEqual([entry]);
  expect(await copy.log.replace(undefined, 'g2')).toBe(false);
  expect(await copy.log.replace('g', 'g2')).toBe(true);
  expect((await copy.log.look([])).generation).toBe('g2');
  await copy.close();

  const again = await broker(directory);
  expect((await again.log.look([])).generation).toBe('g');
  await again.close();
});

it('what expired long ago is removed as others write, and nothing else', async () => {
  const directory = temporaryDirectory();
  const store = await broker(directory);
  const names = Array.from({ length: 40 }, (_, i) => `aa/${i}` as const);
  await store.records.commit({ put: names.map((name) => [name, 'x', clock.now() + 1_000]) });
  await store.records.commit({ put: [['aa/keep', 'x'], ['aa/later', 'x', clock.now() + 86_400_000]] }); // prettier-ignore
  clock.advance(3_600_000 + 1_000);
  for (let i = 0; i < 20; i++) await store.records.commit({ put: [['bb/n', `${i}`]] });
  clock.advance(-3_600_000 - 1_000);
  expect((await store.records.read(names)).filter(Boolean)).toEqual([]);
  expect(await store.records.read(['aa/keep', 'aa/later', 'bb/n'])).toEqual(['x', 'x', '19']);
  await store.close();
});
