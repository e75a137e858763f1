/** The web site of a client that signs for itself: its client-id document, over HTTPS, and whatever else it is told to serve. */
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../../src/domain/time.js';
import { createServerCertificate } from './certificate.js';
import { createIssuer, type TestIssuer } from './issuer.js';

export interface ClientSite {
  /** Where the document is: the id of the client. */
  url: string;
  origin: string;
  /** PEM of the authority that vouches for the site. */
  authority: string;
  /** Signs as this client, unless the claims say otherwise. */
  client: TestIssuer;
  /** These members replace members of the document; undefined removes one. */
  document: Record<string, unknown>;
  /** Path of each request, in order. */
  requests: string[];
  close(): Promise<void>;
}

export async function serveClient({ clock }: { clock: Clock }): Promise<ClientSite> {
  const { authority, key, certificate: cert } = createServerCertificate();
  const server = https.createServer({ key, cert });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const url = `${origin}/client.json`;
  const site: ClientSite = {
    url,
    origin,
    authority,
    client: await createIssuer({ clock, url }),
    document: {},
    requests: [],
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
  server.on('request', ({ url: path = '' }, response) => {
    site.requests.push(path);
    const { client, document } = site;
    const own = { client_id: url, token_endpoint_auth_method: 'private_key_jwt', jwks: client.jwks() };
    const served = path === '/client.json' ? { ...own, ...document } : client.jwks();
    response.setHeader('content-type', 'application/json').end(JSON.stringify(served));
  });
  return site;
}
