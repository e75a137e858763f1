/** An HTTP listener that can be drained, and that slow or silent clients cannot keep busy. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turnAfterAccepting } from 'node:timers/promises';

export interface Listener {
  url: string;
  /**
   * Goes on answering during `pause`, and closes each connection after its next answer, so that clients move to another
   * broker. Then accepts no more connections, waits for requests in flight, and cuts off those that take longer. A connection
   * whose client has not sent the whole head of a request within a second is not waited for.
   */
  close(how: { pause?: () => Promise<void>; patienceMs: number }): Promise<void>;
}

/** An identity token in a header takes up to 16 KiB, and other headers come on top. */
const HEADER_BYTES_MAX = 32 * 1024;
/** Longer than the idle timeout of common load balancers, so that they close idle connections, not the broker. */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_WITHIN_MS = 10_000;
const REQUEST_WITHIN_MS = 15_000;
const CLOSE_IDLE_EVERY_MS = 50;
/** A client that connected in the last moment has this long to send the head of its request. */
const HEAD_WITHIN_MS = 1_000;

/** @param address `host:port`; port 0 takes a free one. */
export async function listen(handler: RequestListener, address: string): Promise<Listener> {
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX, connectionsCheckingInterval: 5_000 }, handler);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = HEADERS_WITHIN_MS;
  server.requestTimeout = REQUEST_WITHIN_MS;
  const carried = requestsCarried(server);
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon);
  server.listen(Number(address.slice(colon + 1)), host.replace(/^\[|\]$/g, ''));
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  return {
    url: `http://${host}:${port}`,
    async close({ pause, patienceMs }) {
      server.prependListener('request', (_, response) => response.setHeader('Connection', 'close'));
      await pause?.();
      const closed = once(server, 'close');
      // A connection that is established but not yet accepted would be reset. Node accepts what waits right before this turn.
      await turnAfterAccepting();
      server.close();
      // A connection becomes idle once its last answer is sent. Without this it would stay open for the client's next request.
      // Node counts one as busy that waits for the head of a request, and has no time limit for that any more once closed.
      const heads = AbortSignal.timeout(HEAD_WITHIN_MS);
      const closeIdle = setInterval(() => {
        server.closeIdleConnections();
        if (heads.aborted) for (const [socket, requests] of carried) if (requests === 0) socket.destroy();
      }, CLOSE_IDLE_EVERY_MS);
      const cutOff = setTimeout(() => server.closeAllConnections(), patienceMs);
      await closed;
      clearInterval(closeIdle);
      clearTimeout(cutOff);
    },
  };
}

/** Returns, for each open connection, how many requests it carries: the head is whole, the answer is not sent yet. */
function requestsCarried(server: Server): ReadonlyMap<Socket, number> {
  const carried = new Map<Socket, number>();
  const add = (socket: Socket, more: number): void => {
    const before = carried.get(socket);
    if (before !== undefined) carried.set(socket, before + more);
  };
  server.on('connection', (socket) => {
    carried.set(socket, 0);
    // A request that waits behind another one in a connection that breaks is never told that it is over.
    socket.once('close', () => carried.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    add(socket, 1);
    response.once('close', () => add(socket, -1));
  });
  return carried;
}
