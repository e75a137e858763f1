/** One address behind which the server changes, as behind a DNS name or a virtual IP: connections that stand stay where they are. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterAll } from '@jest/globals';

export interface Address {
  url: string;
  /** Sends every new connection to this port from now on. */
  leadTo: (port: number) => void;
  /** Nothing passes on the connections that stand, and nobody is told: their host has vanished. */
  vanish: () => void;
}

const closing = new Set<() => void>();
afterAll(() => {
  for (const close of closing) close();
});

export async function startAddress(port: number): Promise<Address> {
  let target = port;
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    near.pipe(far).pipe(near);
    for (const [one, other] of [pair, [far, near] as const]) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
    near.on('close', () => pairs.delete(pair));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.add(() => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    server.close();
  });
  const bound = server.address();
  return {
    url: `redis://127.0.0.1:${typeof bound === 'object' && bound ? bound.port : 0}`,
    leadTo: (next) => void (target = next),
    vanish() {
      for (const [near, far] of pairs) {
        near.unpipe(far);
        far.unpipe(near);
        near.resume();
        far.resume();
      }
    },
  };
}
