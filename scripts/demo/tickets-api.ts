/**
 * The protected API of the story, a process of its own: `node tickets-api.js <broker> <file with its identity token>`.
 * It accepts a token when the broker's published keys verify it AND introspection says that it is active, and then allows what
 * the token grants. When introspection fails, it refuses.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { z } from 'zod';
import { covers } from '../../src/domain/access.js';
import { accessTokenClaimsSchema, type AccessTokenClaims } from '../../src/protocol/access-token.js';
import { call } from './http.js';
import { TICKETS } from './places.js';

interface Verdict {
  status: number;
  body: object;
}

const ACTIONS: Record<string, string> = { GET: 'read', PUT: 'write' };
const [broker = '', identityFile = ''] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(`${broker}/jwks`));

const server = createServer((request, response) => {
  void answer(request).then(({ status, body }) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
});
await once(server.listen(0, '127.0.0.1'), 'listening');
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
// The demo holds the other end of standard input: when the demo ends, this process ends.
process.stdin.resume().on('end', () => process.exit(0));

async function answer(request: IncomingMessage): Promise<Verdict> {
  const token = /^Bearer ([\w.-]+)$/.exec(request.headers.authorization ?? '')?.[1];
  const claims = token === undefined ? undefined : await verified(token);
  if (token === undefined || !claims) return refused(401, 'invalid_token', 'This is no valid token of the broker.');
  const alive = await isAlive(token).catch(() => undefined);
  if (alive === undefined)
    return refused(503, 'temporarily_unavailable', 'The broker cannot be asked, so the answer is no.');
  if (!alive) return refused(401, 'invalid_token', 'This credential is dead: the broker says so.');

  const path = (request.url ?? '').slice(1);
  const action = ACTIONS[request.method ?? ''] ?? 'none';
  if (!allows(claims, path, action)) {
    return refused(403, 'insufficient_scope', `The credential does not allow "${action}" on ${path}.`);
  }
  return { status: 200, body: { incident: path, title: 'Disk full on db-3', readBy: claims.client_id } };
}

async function verified(token: string): Promise<AccessTokenClaims | undefined> {
  const demanded = { issuer: broker, audience: TICKETS, typ: 'at+jwt', algorithms: ['ES256'] };
  const payload = await jwtVerify(token, keys, demanded).then(
    (result) => result.payload,
    () => undefined,
  );
  return accessTokenClaimsSchema.safeParse(payload).data;
}

/** Introspects with the API's own identity token, which is read from its file each time, as a projected token must be. */
async function isAlive(token: string): Promise<boolean> {
  const bearer = readFileSync(identityFile, 'utf8').trim();
  const { text } = await call(`${broker}/introspect`, { form: { token }, bearer });
  return z.object({ active: z.boolean() }).parse(JSON.parse(text)).active;
}

const allows = ({ authorization_details: details }: AccessTokenClaims, path: string, action: string): boolean =>
  details.some(({ identifier, actions }) => covers(identifier, path) && actions.includes(action));

const refused = (status: number, error: string, sentence: string): Verdict => ({
  status,
  body: { error, error_description: sentence },
});
