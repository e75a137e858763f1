/** A tool that runs beside a broker with a wrong clock leaves alone what brokers decide by. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { run } from '../../../src/cli/run.js';
import { DAY_MS, systemClock } from '../../../src/domain/time.js';
import { readAgreedTime } from '../../../src/health/agreed-time.js';
import { createFitness } from '../../../src/health/fitness.js';
import { watchClock } from '../../../src/health/watched-clock.js';
import { openKeys } from '../../../src/keys/keys.js';
import { openLmdb } from '../../../src/store/lmdb.js';
import type { Store } from '../../../src/store/store.js';
import { temporaryDirectory } from '../../support/directory.js';
import { createIssuer } from '../../support/issuers/issuer.js';
import { realClock } from '../../support/clock.js';

const KEY = Buffer.alloc(32, 7);
const SKEW_MS = 5_000;
/** So far ahead that a rotation of the keys is due. */
const ahead = { ...systemClock, reading: () => systemClock.reading() + 31 * DAY_MS };
let [directory, file] = ['', ''];
let store: Store;

const decidedBy = async () => [(await readAgreedTime(store))?.text, await store.records.read(['keys/ring'])];

beforeEach(async () => {
  directory = temporaryDirectory();
  file = join(directory, 'mayfly.yaml');
  const lab = await createIssuer({ clock: realClock });
  writeFileSync(join(directory, 'lab.json'), JSON.stringify(lab.jwks()));
  writeFileSync(join(directory, 'key'), KEY.toString('hex'), { mode: 0o600 });
  const settings = {
    issuer: 'http://127.0.0.1:8080',
    store: 'lmdb:./data',
    trust: [{ name: 'lab', kind: 'oidc', issuer: lab.url, jwks: { file: './lab.json' } }],
    targets: [{ resource: 'https://tickets.example', minter: 'jwt' }],
    policy: { engine: 'cedar', directory: resolve('config/policies') },
  };
  writeFileSync(file, stringify(settings));
  process.env['MAYFLY_KEY_ENCRYPTION_KEY_FILE'] = join(directory, 'key');
  store = await openLmdb({ directory: join(directory, 'data'), clock: systemClock, role: 'broker' });
  const clock = watchClock(systemClock, SKEW_MS);
  await createFitness({ store, clock, node: 'broker', agreedTime: 'raise' }).check();
  await openKeys({ records: store.records, clock, keyEncryptionKey: KEY, rotationDays: 30 });
});

afterEach(async () => {
  delete process.env['MAYFLY_KEY_ENCRYPTION_KEY_FILE'];
  await store.close();
});

it.each([
  ['doctor'],
  ['agreed-time', 'show', '-c'],
  ['revocations', 'list', '-c'],
  ['revocations', 'revoke', 'all', '--reason', 'x', '--dry-run', '-c'],
  ['canary', 'mint', '--label', 'x', '--target', 'https://tickets.example', '-c'],
])('mayfly %s with a clock that is wrong raises no agreed time, and turns no keys', async (...command) => {
  const before = await decidedBy();
  expect(before.flat()).not.toContain(undefined);
  const err: string[] = [];
  await run([...command, file], { out: () => undefined, err: (text) => void err.push(text), clock: ahead });
  expect(err.join()).not.toMatch(/option|argument|command/);
  expect(await decidedBy()).toEqual(before);
});
