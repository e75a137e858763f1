/** The peer: `oidc-provider` in a process of its own, on the same Redis. */
import { startChild, type Child } from './child.js';
import { freePort } from '../free-port.js';
import type { Signer } from './issuer.js';
import { fromRoot } from './root.js';

export interface Peer extends Child {
  url: string;
}

export const PEER_CLIENT = 'agent-7';

export async function startPeer(redisUrl: string, client: Signer): Promise<Peer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const setting = { port, redisUrl, clientId: PEER_CLIENT, clientJwk: client.publicJwk };
  const child = await startChild(process.execPath, [fromRoot('scripts/bench/peer-server.mjs')], {
    env: { BENCH_PEER: JSON.stringify(setting), NODE_ENV: 'production' },
    isReady: async () => (await fetch(`${url}/jwks`)).ok,
  });
  return { ...child, url };
}
