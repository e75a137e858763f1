/**
 * The parts of AWS that MinIO lacks: an issuer whose keys it fetches (the broker's keys, published elsewhere, as a broker that is
 * not on the internet does it), an STS for the revoker role, and IAM, for which a loopback account stands in.
 */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { agentRole, revokerArn, revokerRole } from '../../fakes/aws/example-roles.js';
import { startLoopbackAws, type LoopbackAws } from '../../fakes/aws/server.js';

export const AUDIENCE = 'sts.amazonaws.com';
export const REVOKER = 'arn:minio:iam:::role/jit-revoker';
const ACCOUNT = '111122223333';

export interface Issuer {
  url: string;
  /** From then on the issuer publishes the keys of this broker; before, none. */
  publish(broker: string): void;
  close(): void;
}

export async function openIssuer(port = 0): Promise<Issuer> {
  let broker: string | undefined;
  const server = await listening(async (request, response) => {
    const discovery = { issuer: url, jwks_uri: `${url}/jwks`, ...CLAIMED };
    const keys = broker === undefined ? '{"keys":[]}' : await (await fetch(`${broker}/jwks`)).text();
    response.setHeader('content-type', 'application/json');
    response.end(request.url === '/jwks' ? keys : JSON.stringify(discovery));
  }, port);
  const url = urlOf(server);
  return { url, publish: (address) => (broker = address), close: () => end(server) };
}

const CLAIMED = {
  response_types_supported: ['id_token'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: ['ES256'],
};

/** Requests for the revoker role go to the loopback account, all others to MinIO as they are. */
export async function openSts(minio: string, aws: LoopbackAws): Promise<{ url: string; close(): void }> {
  const server = await listening(async (request, response) => {
    const form = new URLSearchParams(await text(request));
    const isRevoker = form.get('RoleArn') === REVOKER;
    if (isRevoker) form.set('RoleArn', revokerArn(ACCOUNT));
    const answer = await fetch(isRevoker ? aws.url : minio, { method: 'POST', body: form });
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/xml' });
    response.end(await answer.text());
  });
  return { url: urlOf(server), close: () => end(server) };
}

/** IAM addresses a role by its name, so MinIO's role has a name here, under which its deny policy is written. */
export async function openIam(issuer: string, role: string): Promise<LoopbackAws> {
  const wish = { account: ACCOUNT, issuerName: issuer.replace('http://', ''), audience: AUDIENCE };
  const Action = ['iam:PutRolePolicy', 'iam:DeleteRolePolicy', 'iam:GetRolePolicy'];
  const base = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource: '*' } } as const;
  return startLoopbackAws({
    account: ACCOUNT,
    roles: [agentRole(wish, role.slice(role.lastIndexOf('/') + 1)), { ...revokerRole(wish), base }],
    providers: [{ issuer, clientIds: [AUDIENCE] }],
    propagationMs: 0,
    now: () => Date.now(),
  });
}

async function listening(handle: (...args: Parameters<RequestListener>) => Promise<void>, port = 0): Promise<Server> {
  const server = createServer((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const urlOf = (server: Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function end(server: Server): void {
  server.close();
  server.closeAllConnections();
}
