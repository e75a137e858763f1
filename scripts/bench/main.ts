/** npm run bench: Mayfly against an authorization server in the same run on the same cores; prints what was got, met or not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker } from './broker.js';
import { introspection, newTokens, peer, sameToken } from './contenders.js';
import { createSigner } from './issuer.js';
import { startPeer } from './peer.js';
import { startRedis } from './redis.js';
import { runRounds } from './rounds.js';

const quick = process.argv.includes('--quick');
const directory = mkdtempSync(join(tmpdir(), 'mayfly-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const lab = await createSigner('lab');
const client = await createSigner('client');
const redis = await startRedis(directory);
const onRedis = await startBroker({ directory: join(directory, 'redis'), store: redis.url, lab });
const onLmdb = await startBroker({ directory: join(directory, 'lmdb'), store: 'lmdb:./store', lab });
const other = await startPeer(redis.url, client);
const rows = await runRounds(
  [
    peer('peer', other, client),
    sameToken('redis same', onRedis, lab),
    newTokens('redis new', onRedis, lab),
    introspection('redis introspect', onRedis, lab),
    sameToken('lmdb same', onLmdb, lab),
    newTokens('lmdb new', onLmdb, lab),
  ],
  { rounds: quick ? 1 : 3, requests: quick ? 2000 : 4000, redisPid: redis.pid },
);
for (const row of rows) console.log(row.name, row.turns);
await Promise.all([onRedis.end(), onLmdb.end(), other.end()]);
await redis.end();
