/** A hop between two programs that knows nothing of HTTP, and that a test makes worse than any real one. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

interface TcpProxy {
  /** Where it listens: an origin. */
  url: string;
  /** From now on nothing arrives over the connections that there are, and none of them is closed: as when a cable is cut. */
  swallow(): void;
  /** From now on each connection hands on what comes from the server only piece by piece, one in so many milliseconds. */
  trickle(everyMs: number): void;
  /** New connections work as any. */
  heal(): void;
  close(): void;
}

export async function startTcpProxy(to: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(to);
  const sockets = new Set<Socket>();
  let lost = new Set<Socket>();
  let isBroken = false;
  let everyMs = 0;

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      if (isBroken) lost.add(socket);
      socket.on('error', () => undefined);
    }
    hand(client, upstream);
    hand(upstream, client, () => everyMs);
  });
  function hand(from: Socket, into: Socket, pauseMs = () => 0): void {
    let handed = Promise.resolve();
    from.on('data', (piece) => {
      handed = handed.then(async () => {
        if (pauseMs() > 0) await pause(pauseMs(), undefined, { ref: false });
        if (!lost.has(from)) into.write(piece);
      });
    });
    from.on('close', () => {
      sockets.delete(from);
      if (!lost.has(from)) into.destroy();
    });
  }
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallow() {
      isBroken = true;
      lost = new Set(sockets);
    },
    trickle: (ms) => void (everyMs = ms),
    heal: () => void ([isBroken, everyMs] = [false, 0]),
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
