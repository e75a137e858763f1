/** Each way not to reach Redis has a sentence of its own: where, how it was tried, and the cause. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { RedisAccess, RedisPlace } from '../../src/store/redis/client.js';
import type { Store, StoreUnavailable } from '../../src/store/store.js';
import { temporaryDirectory } from '../support/directory.js';
import { freePort } from '../../scripts/free-port.js';
import { createServerCertificate } from '../support/issuers/certificate.js';
import { openStoreIn } from '../support/redis-store.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';

const SECRET = 'a-password-that-no-message-shows';

const open = (place: RedisPlace, access: RedisAccess = {}): Promise<Store> => openStoreIn(place, { access });

async function refusal(place: RedisPlace, access: RedisAccess = {}): Promise<string> {
  const error = await open(place, access).catch((reason: unknown) => reason);
  if (!(error instanceof Error)) throw new Error('it was reached');
  expect(error.message).not.toContain(SECRET);
  return error.message;
}

let server: RedisServer;
let tlsPort: number;
const directory = temporaryDirectory();
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};
let authority: string;

beforeAll(async () => {
  const made = createServerCertificate();
  authority = file('authority.pem', made.authority);
  tlsPort = await freePort();
  server = await startRedis({
    'tls-port': String(tlsPort),
    'tls-cert-file': file('server.pem', made.certificate),
    'tls-key-file': file('server.key', made.key),
    'tls-ca-cert-file': authority,
    'tls-auth-clients': 'no',
  });
  await server.send('ACL', 'SETUSER', 'mayfly', 'on', `>${SECRET}`, '~*', '+@all');
  await server.send('ACL', 'SETUSER', 'idle', 'on', `>${SECRET}`, '~*', '+ping');
  await server.send('ACL', 'SETUSER', 'default', 'resetpass', `>${SECRET}`);
});

const plain = () => `redis://127.0.0.1:${server.port}`;
const overTls = (port = tlsPort) => `rediss://127.0.0.1:${port}`;
const login = { username: 'mayfly', password: SECRET };

describe('Redis that cannot be reached says where, how it was tried, and why', () => {
  it('no password', async () => {
    expect(await refusal({ url: plain() })).toBe(
      `Redis at 127.0.0.1:${server.port} (without TLS, without a password): it wants a password: set it in REDIS_URL`,
    );
  });

  it('a wrong password', async () => {
    expect(await refusal({ url: plain() }, { username: 'mayfly', password: `${SECRET}-not` })).toBe(
      `Redis at 127.0.0.1:${server.port} (without TLS as mayfly, with a password): the user and the password are not accepted`,
    );
  });

  it('nothing listens', async () => {
    const port = await freePort();
    expect(await refusal({ url: `redis://mayfly:${SECRET}@127.0.0.1:${port}` })).toBe(
      `Redis at 127.0.0.1:${port} (without TLS as mayfly, with a password): nothing listens there`,
    );
  });

  it('plain to a TLS port', async () => {
    expect(await refusal({ url: `redis://127.0.0.1:${tlsPort}` })).toBe(
      `Redis at 127.0.0.1:${tlsPort} (without TLS, without a password): it closed the connection without an answer, as a TLS port does: then write rediss://`,
    );
  });

  it('TLS to a plain port', async () => {
    expect(await refusal({ url: overTls(server.port) }, { ...login, ca: authority })).toMatch(
      /\(by TLS as mayfly, with a password\): (it speaks no TLS there|nothing answered in time, as where a port speaks no TLS)/,
    );
  });

  it('an authority that the system does not know, and another one than is named', async () => {
    expect(await refusal({ url: overTls() }, login)).toContain('name the authority in redis.ca');
    const other = file('other.pem', createServerCertificate().authority);
    expect(await refusal({ url: overTls() }, { ...login, ca: other })).toContain(
      'an authority that is not in redis.ca',
    );
    expect(await refusal({ url: overTls() }, { ...login, ca: file('empty.pem', '') })).toBe('The file of redis.ca is empty.'); // prettier-ignore
  });

  it('a user who may not run what a broker runs', async () => {
    expect(await refusal({ url: plain() }, { username: 'idle', password: SECRET })).toMatch(/NOPERM|docs\/operations/);
  });

  it('Sentinels that are not there', async () => {
    const port = await freePort();
    expect(await refusal({ sentinels: [`127.0.0.1:${port}`], name: 'main', tls: false })).toBe(
      `The Redis named main, by the Sentinels at 127.0.0.1:${port} (without TLS, without a password): no Sentinel answers there, as where nothing listens, or TLS is on one side only`,
    );
  });

  it('a Cluster that wants a password', async () => {
    expect(await refusal({ nodes: [plain()] })).toContain('it wants a password');
  });
});

it('with redis.ca a private authority is trusted, and without TLS the setting is refused', async () => {
  const store = await open({ url: overTls() }, { ...login, ca: authority });
  expect((await store.log.look([])).seq).toBe(0);
  expect(await refusal({ url: plain() }, { ...login, ca: authority })).toContain('without TLS: write rediss://');
});

it('while there is no connection the health of the store says why', async () => {
  const other = await startRedis();
  const store = await open({ url: other.url });
  await other.kill();
  const why = `Redis at 127.0.0.1:${other.port} (without TLS, without a password): nothing listens there`;
  const said = async () => store.health().then(() => '', (error: unknown) => (error as StoreUnavailable).message); // prettier-ignore
  await until(async () => (await said()) === why, 'the health of the store does not say why');
});
