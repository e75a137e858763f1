/** A receiver of webhooks: a real HTTP server on loopback that answers as a test wishes. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll } from '@jest/globals';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  event: { id: string; type: string; subject?: string; source: string; data: Record<string, unknown> };
}

export interface Receiver {
  url: string;
  received: Received[];
  ids(): string[];
  /** How the next requests are answered, the first of these first; after them all: 204. */
  answer(...answers: (number | ((response: ServerResponse, received: Received) => void))[]): void;
}

const running: Server[] = [];
afterAll(() => {
  for (const server of running) {
    server.closeAllConnections();
    server.close();
  }
});

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  const queue: (number | ((response: ServerResponse, received: Received) => void))[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const one = { headers: request.headers, body, event: JSON.parse(body) as Received['event'] };
      received.push(one);
      const next = queue.shift() ?? 204;
      if (typeof next === 'function') next(response, one);
      else response.writeHead(next).end('a body that nobody reads: hunter2');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  running.push(server);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    ids: () => received.map(({ event }) => event.id),
    answer: (...answers) => void queue.push(...answers),
  };
}
