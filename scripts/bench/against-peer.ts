/** Exchanges, introspection and revocation, side by side with the peer. Returns the report. */
import { join } from 'node:path';
import { auditBytesPerEntry } from './audit-memory.js';
import { startBroker } from './broker.js';
import { accessToken, evaluation, introspection, newTokens, peer, sameToken } from './contenders.js';
import { credentialMemory } from './credential-memory.js';
import { createSigner, type Signer } from './issuer.js';
import { drive } from './load.js';
import { startPeer } from './peer.js';
import type { RedisServer } from './redis.js';
import { report } from './report.js';
import { measureRevocation } from './revocation.js';
import { runRounds } from './rounds.js';
import { signatureCost } from './signature.js';

export interface PeerWish {
  rounds: number;
  requests: number;
  warmUp: number;
  /** How many credentials one workload holds. */
  many: number;
  say: (what: string) => void;
}

export async function againstPeer(
  directory: string,
  redis: RedisServer,
  lab: Signer,
  { rounds, requests, warmUp, many, say }: PeerWish,
): Promise<string> {
  say('Starting two brokers and the peer');
  const client = await createSigner('client');
  const onRedis = await startBroker({ directory: join(directory, 'on-redis'), store: redis.url, lab });
  const onLmdb = await startBroker({ directory: join(directory, 'on-lmdb'), store: 'lmdb:./store', lab });
  const oidcProvider = await startPeer(redis.url, client);

  const named = {
    peer: 'oidc-provider on Redis',
    same: 'Redis, same identity token',
    fresh: 'Redis, every token new',
    introspected: 'Redis, introspection',
    evaluated: 'Redis, evaluation',
  };
  const contenders = [
    peer(named.peer, oidcProvider, client),
    sameToken(named.same, onRedis, lab),
    newTokens(named.fresh, onRedis, lab),
    introspection(named.introspected, onRedis, lab),
    evaluation(named.evaluated, onRedis, lab),
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
  await onRedis.end();
  say('Seeding credentials to measure their memory');
  const credentialBytes = await credentialMemory(join(directory, 'memory'));
  return report({ ...outcome, named, revoked, credentialBytes, auditBytes });
}
