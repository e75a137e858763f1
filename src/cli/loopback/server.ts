/**
 * A server on loopback for one command. Its address has a secret in its path, so that other users of the host, and pages in a
 * browser, cannot use it.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { refuse, type Refusal } from './refusal.js';

/** @param path What stands behind the secret, as it was sent: empty, or from `/` or `?` on. */
export type Handler = (request: IncomingMessage, response: ServerResponse, path: string) => void | Promise<void>;

export interface Loopback {
  /** `http://127.0.0.1:<port>/<secret>`. It never stands in an argument of a command: other users can read those. */
  url: string;
  /** Takes no more requests, and breaks those that run off. */
  close: () => Promise<void>;
}

export async function startLoopback(handle: Handler): Promise<Loopback> {
  const secret = `/${randomBytes(32).toString('base64url')}`;
  // A large body, or a slow one, is the business of whoever gets it.
  const server = createServer({ requestTimeout: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', (request, response) => {
    const refusal = strangerRefusal(request, host, secret);
    if (refusal) refuse(response, refusal);
    else void handle(request, response, (request.url ?? '').slice(secret.length));
  });
  // Nobody is led anywhere else from here.
  server.on('connect', (_, socket) => socket.end('HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\n\r\n'));
  return { url: `http://${host}${secret}`, close: () => closed(server) };
}

/** Returns why whoever sent the request gets nothing here; undefined for the command. */
function strangerRefusal({ headers, url = '' }: IncomingMessage, host: string, secret: string): Refusal | undefined {
  // A page whose own name was made to point here (DNS rebinding) sends that name.
  if (headers.host !== host) {
    return { status: 421, code: 'misdirected_request', message: `This is ${host}, and answers to no other name.` };
  }
  if (isSame(url.slice(0, secret.length), secret) && /^(?:[/?]|$)/.test(url.slice(secret.length))) return undefined;
  return { status: 404, code: 'not_found', message: 'There is nothing here.' };
}

function isSame(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function closed(server: Server): Promise<void> {
  const ended = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await ended;
}
