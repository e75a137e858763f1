/** kill -9 in the middle of writing: what was acknowledged is in the audit log, once, and every revocation is followed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import type { AuditEvent } from '../../src/audit/event.js';
import { realClock } from '../support/clock.js';
import { openLmdb } from '../../src/store/lmdb.js';
import { auditSetting } from '../support/audit.js';
import { temporaryDirectory } from '../support/directory.js';

const writer = fileURLToPath(new URL('../support/audit-writer.mjs', import.meta.url));

it('a broker killed while it writes loses no acknowledged entry, doubles none, and misses no revocation', async () => {
  const directory = temporaryDirectory();
  const acknowledged: string[] = [];
  for (const [round, lines] of [30, 61, 122].entries()) {
    acknowledged.push(...(await writeUntilKilled(directory, `round${round}`, lines)));
  }

  const store = await openLmdb({ directory, clock: realClock, role: 'broker' });
  try {
    const setting = await auditSetting(store, realClock);
    await setting.open().catchUp();
    await setting.expectWhole();
    const events = (await setting.lines()).map((line) => JSON.parse(line) as AuditEvent);
    const reasons = events.map(({ reason }) => reason);
    expect(new Set(reasons).size).toBe(reasons.length);
    expect(reasons).toEqual(expect.arrayContaining(acknowledged));
    const published = (await store.log.entries(0, 10_000)).map(({ id }) => id);
    expect(events.flatMap(({ revocation }) => (revocation ? [revocation.id] : []))).toEqual(published);
  } finally {
    await store.close();
  }
});

/** What the child said had been acknowledged, up to its sudden end. */
async function writeUntilKilled(directory: string, prefix: string, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [writer, directory, prefix], { stdio: ['ignore', 'pipe', 'inherit'], env: {} });
  const closed = once(child, 'close');
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line);
    if (said.length === lines) child.kill('SIGKILL');
  }
  const [, signal] = (await closed) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return said;
}
