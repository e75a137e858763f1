/** Behind a proxy, all that a broker fetches and sends goes through it: keys, webhooks, AWS; and nothing on this machine. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/load.js';
import { examine } from '../../src/compose/doctor.js';
import { startBroker, TICKETS, WIKI } from '../support/brokers/http.js';
import { handClock } from '../support/clock.js';
import { startConnectProxy } from '../support/connect-proxy.js';
import { temporaryDirectory } from '../support/directory.js';
import { createServerCertificate } from '../support/issuers/certificate.js';
import { createIssuer } from '../support/issuers/issuer.js';
import { startReceiver } from '../support/receiver.js';

const HOSTS = ['keys.example', 'events.example', 'siem.example'];
const { authority, certificate: cert, key } = createServerCertificate(HOSTS);
const clock = handClock();
const partner = await createIssuer({ clock, url: 'https://partner.example' });
const requests: string[] = [];
const server = https.createServer({ key, cert }, (request, response) => {
  requests.push(`${request.method} ${request.headers.host}`);
  response.end(JSON.stringify(partner.jwks()));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it('a broker with HTTPS_PROXY in its environment', async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const proxy = await startConnectProxy(Object.fromEntries(HOSTS.map((host) => [`${host}:443`, port])));
  const here = await startReceiver();
  const ca = join(temporaryDirectory(), 'ca.pem');
  writeFileSync(ca, authority);
  const resource = 'arn:aws:iam::111122223333:role/jit/agent';
  const broker = await startBroker({
    clock,
    env: { HTTPS_PROXY: proxy.url, NO_PROXY: 'intern.example' },
    trust: [{ name: 'partner', kind: 'oidc', issuer: partner.url, jwks: { url: 'https://keys.example/jwks', ca } }],
    config: {
      targets: [
        { resource: TICKETS, minter: 'jwt' },
        { resource: WIKI, minter: 'jwt' },
        {
          resource,
          minter: 'aws-sts',
          aws: {
            region: 'eu-central-1',
            audience: 'sts.amazonaws.com',
            revokerRole: 'arn:aws:iam::111122223333:role/jit-revoker',
          },
        },
      ],
      signals: {
        transmitters: [
          {
            name: 'idp',
            issuer: 'https://events.example',
            audience: 'urn:broker',
            jwks: { url: 'https://events.example/jwks', ca },
            about: ['lab'],
          },
        ],
      },
      notify: [
        { name: 'siem', url: 'https://siem.example/hook', ca },
        { name: 'here', url: here.url },
      ],
    },
  });

  // Keys of an issuer: without them its token would be refused.
  const token = await partner.token({ aud: broker.url });
  expect((await broker.get('/audit', token)).status).toBe(403);
  expect(proxy.asked).toEqual(['keys.example:443']);

  // Webhooks: one elsewhere, and one on this machine.
  const body = { selector: { kind: 'workload', value: 'lab:a' }, reason: 'odd', unseen: true };
  await broker.post('/revocations', body, await broker.identity('soc'));
  await broker.work('audit');
  await broker.work('notify');
  expect(requests).toContain('POST siem.example');
  expect(here.received).toHaveLength(1);

  // AWS, by its SDK. This proxy lets nobody reach it.
  await broker.work('reconcile');
  expect(proxy.asked).toContain('sts.eu-central-1.amazonaws.com:443');
  expect(broker.logged()).toContain('PROXY_REFUSED_403');

  // What `mayfly doctor` tries, it tries on the same way.
  await broker.close();
  const loaded = await loadConfig({ path: broker.configFile, env: { https_proxy: proxy.url } });
  const checks = await examine(loaded, clock);
  expect(checks).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ name: 'issuer partner', ok: true }),
      expect.objectContaining({ name: 'transmitter idp', ok: true }),
    ]),
  );
  expect(new Set(proxy.asked)).toEqual(
    new Set([...HOSTS, 'sts.eu-central-1.amazonaws.com'].map((host) => `${host}:443`)),
  );
});
