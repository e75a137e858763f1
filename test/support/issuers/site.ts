/** Serves an issuer's discovery document and keys on loopback, and misbehaves on demand. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../../src/domain/time.js';
import type { ServerCertificate } from './certificate.js';
import { createIssuer, type TestIssuer } from './issuer.js';

export type Behaviour = 'well' | 'hanging' | 'dripping' | 'huge' | 'failing' | 'redirecting' | 'talking nonsense';

export interface IssuerSite extends TestIssuer {
  behaviour: Behaviour;
  /** Replaces members of the discovery document. */
  metadata: Record<string, unknown>;
  /** Path of each request, in order. */
  requests: string[];
  authorization: string | undefined;
  close(): Promise<void>;
}

const CONFIGURATION = '/.well-known/openid-configuration';

export async function serveIssuer(options: {
  clock: Clock;
  tls?: ServerCertificate;
  algorithms?: string[];
}): Promise<IssuerSite> {
  const { tls, ...rest } = options;
  const server = tls ? https.createServer({ key: tls.key, cert: tls.certificate }) : http.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const issuer = await createIssuer({ ...rest, url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}` });

  const site: IssuerSite = Object.assign(issuer, {
    behaviour: 'well' as const,
    metadata: {},
    requests: [],
    authorization: undefined,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => answer(site, request, response));
  return site;
}

function answer(site: IssuerSite, request: IncomingMessage, response: ServerResponse): void {
  const path = request.url ?? '';
  site.requests.push(path);
  site.authorization = request.headers.authorization;
  const document = path.startsWith(CONFIGURATION)
    ? { issuer: site.url, jwks_uri: `${site.url}/keys`, ...site.metadata }
    : site.jwks();
  switch (path.endsWith('?followed') ? 'well' : site.behaviour) {
    case 'well':
      return void response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
    case 'hanging':
      return;
    case 'dripping':
      return void response.writeHead(200).write('{');
    case 'huge':
      return void response.end(JSON.stringify({ ...document, padding: 'x'.repeat(300_000) }));
    case 'failing':
      return void response.writeHead(500).end(JSON.stringify(document));
    case 'redirecting':
      return void response.writeHead(302, { location: `${path}?followed` }).end();
    case 'talking nonsense':
      return void response.end('<html>secret of the server</html>');
  }
}
