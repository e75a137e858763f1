/** npm run bench: Mayfly against an authorization server in the same run on the same cores; prints what was got, met or not. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditBytesPerEntry } from './audit-memory.js';
import { startBroker } from './broker.js';
import { accessToken, introspection, newTokens, peer, sameToken } from './contenders.js';
import { createSigner } from './issuer.js';
import { drive } from './load.js';
import { startPeer } from './peer.js';
import { startRedis } from './redis.js';
import { report } from './report.js';
import { measureRevocation } from './revocation.js';
import { runRounds } from './rounds.js';
import { signatureCost } from './signature.js';

const SIZES = {
  whole: { rounds: 3, requests: 3_000, warmUp: 4_000, many: 100_000 },
  quick: { rounds: 1, requests: 1_000, warmUp: 1_000, many: 25_000 },
};
const { rounds, requests, warmUp, many } = SIZES[process.argv.includes('--quick') ? 'quick' : 'whole'];

const directory = mkdtempSync(join(tmpdir(), 'mayfly-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
setTimeout(() => {
  process.stderr.write('This takes longer than it may; is the machine busy?\n');
  process.exit(1);
}, 600_000).unref();

const say = (what: string) => process.stderr.write(`${what}\n`);
const [lab, client] = await Promise.all([createSigner('lab'), createSigner('client')]);
say('Starting Redis, two brokers and the peer');
const redis = await startRedis(directory);
const onRedis = await startBroker({ directory: join(directory, 'on-redis'), store: redis.url, lab });
const onLmdb = await startBroker({ directory: join(directory, 'on-lmdb'), store: 'lmdb:./store', lab });
const oidcProvider = await startPeer(redis.url, client);

const named = { peer: 'oidc-provider on Redis', same: 'Redis, same identity token', fresh: 'Redis, every token new' };
const contenders = [
  peer(named.peer, oidcProvider, client),
  sameToken(named.same, onRedis, lab),
  newTokens(named.fresh, onRedis, lab),
  introspection('Redis, introspection', onRedis, lab),
  sameToken('LMDB, same identity token', onLmdb, lab),
  newTokens('LMDB, every token new', onLmdb, lab),
];
say(`${rounds} rounds of ${requests} requests to each of ${contenders.length}`);
const [answer = ''] = (await drive(await sameToken('', onRedis, lab).prepare(1))).answers;
const yardstick = () => signatureCost(accessToken(answer), lab, requests);
const outcome = await runRounds(contenders, { rounds, requests, warmUp, redisPid: redis.pid, yardstick });
await Promise.all([onLmdb.end(), oidcProvider.end()]);

const auditBytes = await auditBytesPerEntry(redis.client);
say(`Revoking a workload that holds ${many} credentials`);
const revoked = await measureRevocation(onRedis, redis, lab, many);

process.stdout.write(`\n${report({ ...outcome, named, revoked, auditBytes })}\n`);
await onRedis.end();
await redis.end();
