/** A listener that slow and silent clients cannot hold open, and that can be drained. */
import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';

export interface Listener {
  url: string;
  /** Stops accepting, lets what is in flight finish, and cuts off what takes longer. */
  close(patienceMs: number): Promise<void>;
}

/** Identity tokens travel in a header: up to 16 KiB each, and there is more beside. */
const HEADER_BYTES_MAX = 32 * 1024;
/** Longer than the idle timeout of the usual load balancers, so that it is they who let go of a connection. */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_WITHIN_MS = 10_000;
const REQUEST_WITHIN_MS = 15_000;
const LET_GO_EVERY_MS = 50;

/** @param address `host:port`; port 0 takes a free one. */
export async function listen(handler: RequestListener, address: string): Promise<Listener> {
  const server = createServer({ maxHeaderSize: HEADER_BYTES_MAX, connectionsCheckingInterval: 5_000 }, handler);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.headersTimeout = HEADERS_WITHIN_MS;
  server.requestTimeout = REQUEST_WITHIN_MS;
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon);
  server.listen(Number(address.slice(colon + 1)), host.replace(/^\[|\]$/g, ''));
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound ? bound.port : 0;
  return {
    url: `http://${host}:${port}`,
    async close(patienceMs) {
      const closed = once(server, 'close');
      server.close();
      // A connection whose last answer has just been sent is idle, and would be kept for the client's next request.
      const letGo = setInterval(() => server.closeIdleConnections(), LET_GO_EVERY_MS);
      const cutOff = setTimeout(() => server.closeAllConnections(), patienceMs);
      await closed;
      clearInterval(letGo);
      clearTimeout(cutOff);
    },
  };
}
