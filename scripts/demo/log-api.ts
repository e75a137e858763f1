/**
 * Two APIs of the story that answer for as long as somebody reads, a line each 50 ms. One has a verifier, and cuts its answer when the
 * credential dies; the other never asks, as most APIs do, and stands behind `mayfly proxy`.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createVerifier } from '../../src/verifier/index.js';
import { TICKETS } from './places.js';

export interface LogApi {
  url: string;
  close(): void;
}

const LINE_EACH_MS = 50;

/** @param identity The identity token of the API, by which it follows the feed. */
export async function openVerifyingApi(broker: string, identity: string): Promise<LogApi> {
  const verifier = createVerifier({ issuer: broker, audience: TICKETS, identity: () => identity, instance: 'log-api' });
  await verifier.ready();
  const needed = { resource: 'incident/4711', action: 'read' };
  const api = await openApi(async ({ headers }, response) => {
    const claims = await verifier.verify(headers.authorization?.replace('Bearer ', '') ?? '', needed);
    const stop = verifier.onRevoked(claims, () => response.destroy());
    response.on('close', stop);
    writeLines(response);
  });
  return {
    url: api.url,
    close() {
      verifier.close();
      api.close();
    },
  };
}

export const openTrustingApi = (): Promise<LogApi> =>
  openApi((_, response) => {
    writeLines(response);
    return Promise.resolve();
  });

async function openApi(answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<LogApi> {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.writeHead(401).end());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function writeLines(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/plain' });
  let line = 0;
  const writing = setInterval(() => response.write(`line ${(line += 1)} of the log of incident 4711\n`), LINE_EACH_MS);
  response.on('close', () => clearInterval(writing));
}
