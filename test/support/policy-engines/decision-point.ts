/** A policy decision point on loopback that speaks AuthZEN, and decides as the test says; and servers that answer anything. */
import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll } from '@jest/globals';

const closing: (() => unknown)[] = [];
afterAll(() => closing.forEach((close) => close()));

export interface Site {
  url: string;
  /** Every connection there ever was. */
  sockets: Socket[];
}

export async function serve(listener: RequestListener, server = http.createServer()): Promise<Site> {
  const sockets: Socket[] = [];
  server.on('request', listener);
  server.on('connection', (socket: Socket) => sockets.push(socket.on('error', () => undefined)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, sockets };
}

interface Entity {
  type: string;
  id: string;
  properties: Record<string, unknown>;
}

export interface EvaluationRequest {
  subject: Entity;
  action: { name: string };
  resource: Entity;
  context: Record<string, unknown>;
}

export interface EvaluationAnswer {
  decision: unknown;
  context?: Record<string, unknown>;
}

type Evaluate = (request: EvaluationRequest) => EvaluationAnswer;

/** Its endpoint is where no standard says: the discovery document has to be read. */
export const serveDecisionPoint = (evaluate: Evaluate): Promise<Site> =>
  serve((request, response) => void answer(request, response, evaluate));

async function answer(request: IncomingMessage, response: ServerResponse, evaluate: Evaluate): Promise<void> {
  const url = `http://${request.headers.host ?? ''}`;
  if (request.url === '/.well-known/authzen-configuration')
    json(response, { policy_decision_point: url, access_evaluation_endpoint: `${url}/decide` });
  else if (request.url !== '/decide' || request.method !== 'POST') response.writeHead(404).end();
  else json(response, evaluate((await bodyOf(request)) as EvaluationRequest));
}

export const json = (response: ServerResponse, body: unknown): void =>
  void response.setHeader('content-type', 'application/json').end(JSON.stringify(body));

export const bodyOf = async (request: IncomingMessage): Promise<unknown> =>
  JSON.parse(Buffer.concat(await request.toArray()).toString());
