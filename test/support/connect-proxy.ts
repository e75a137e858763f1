/** A real HTTP proxy on loopback, for CONNECT alone. It knows names that no name server does. */
import { once } from 'node:events';
import http, { type IncomingHttpHeaders } from 'node:http';
import net, { type AddressInfo, type Socket } from 'node:net';
import { afterAll } from '@jest/globals';

export interface ConnectProxy {
  url: string;
  /** `host:port` of each tunnel that was asked for, in order, and the headers of each. */
  asked: string[];
  headers: IncomingHttpHeaders[];
  /** All that clients sent through tunnels, as it passed. */
  passed: () => string;
  /** How many connections are open, to the proxy and from it. */
  open: () => number;
}

const running: (() => void)[] = [];
afterAll(() => running.forEach((close) => close()));

/** @param ports `host:port` → the port on loopback where that is. All else is answered with 403. */
export async function startConnectProxy(ports: Readonly<Record<string, number>>): Promise<ConnectProxy> {
  const [asked, headers, passed]: [string[], IncomingHttpHeaders[], Buffer[]] = [[], [], []];
  const sockets = new Set<Socket>();
  const watched = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
  };
  const server = http.createServer((_, response) => response.writeHead(405).end('only CONNECT: hunter2'));
  server.on('connection', watched);
  server.on('connect', (request: http.IncomingMessage, client: Socket, head: Buffer) => {
    const to = request.url ?? '';
    asked.push(to);
    headers.push(request.headers);
    const port = ports[to];
    if (port === undefined) return void client.end('HTTP/1.1 403 Forbidden\r\n\r\nno way: hunter2');
    const upstream = watched(
      net.connect(port, '127.0.0.1', () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.write(head);
        client.on('data', (chunk: Buffer) => void passed.push(chunk));
        client.pipe(upstream).pipe(client);
      }),
    );
    upstream.once('close', () => client.destroy());
    client.once('close', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  running.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    headers,
    passed: () => Buffer.concat(passed).toString('latin1'),
    open: () => sockets.size,
  };
}
