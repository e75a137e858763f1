/** Bundles of trust domains by their endpoints, from real servers: who is believed, how often they are read, and what is told of them. */
import { once } from 'node:events';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { trustSchema } from '../../../src/config/trust-schema.js';
import { openIssuer, type WatchedKeys } from '../../../src/identity/issuer-keys.js';
import type { Identify } from '../../../src/identity/identify.js';
import { noProxy } from '../../../src/outbound/proxy.js';
import { createAuthority, type TestAuthority } from '../../support/issuers/certificate.js';
import { createDoorstep } from '../../support/issuers/identity.js';
import { newSigningKey, signToken } from '../../support/issuers/issuer.js';
import { createTrustDomain } from '../../support/issuers/trust-domain.js';

const door = createDoorstep();
const prod = await createTrustDomain({ clock: door.clock });
const ID = 'spiffe://prod.example/bundle-server';
const unavailable = { code: 'temporarily_unavailable' };

/** What the endpoint answers next. */
let served: Record<string, unknown>;
let status: number;
let requests: number;
const server = https.createServer((_, response) => {
  requests += 1;
  response.writeHead(status, { location: '/elsewhere' }).end(JSON.stringify(served));
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const url = `https://localhost:${(server.address() as AddressInfo).port}/bundle`;
afterAll(() => {
  server.closeAllConnections();
  server.close();
  door.remove();
});

let root: TestAuthority;

beforeEach(() => {
  root = createAuthority();
  served = bundleOf([root]);
  [status, requests] = [200, 0];
});

/** Returns a bundle of `prod` with these authorities. */
const bundleOf = (authorities: TestAuthority[], more: object = {}): Record<string, unknown> => ({
  ...prod.bundle(),
  keys: [
    ...prod.bundle().keys,
    ...authorities.map(({ certificate }) => ({ kty: 'EC', use: 'x509-svid', x5c: [derOf(certificate)] })),
  ],
  ...more,
});
const derOf = (pem: string): string => pem.replaceAll(/-----.*-----|\s/g, '');

let files = 0;
const file = (content: object | string): string => door.file(`file-${(files += 1)}`, content);

/** The server proves itself by a certificate of this authority from now on. */
function present(
  authority: TestAuthority,
  wish: Parameters<TestAuthority['issue']>[0] = { names: [], uris: [ID] },
): void {
  const { certificate: cert, key } = authority.issue(wish);
  server.setSecureContext({ cert, key });
}

const spiffe = (bundle: object) => ({ kind: 'spiffe', name: 'prod', trustDomain: prod.name, bundle });
const bySpiffe = (bootstrap: object = bundleOf([root]), id = ID) =>
  spiffe({ url, profile: 'https_spiffe', id, bootstrap: file(bootstrap) });
const byWeb = (ca: string) => spiffe({ url, profile: 'https_web', ca: file(ca) });
const believed = async (identify: Identify) => (await identify(await prod.svid(), { use: 'subject' })).party.id;
const watched = (entry: object): WatchedKeys => {
  const trust = trustSchema.parse(entry);
  if (trust.kind !== 'spiffe') throw new Error('a trust domain is meant');
  return openIssuer(trust, { clock: door.clock, baseDirectory: door.directory, proxyFor: noProxy });
};

describe('the profile https_web', () => {
  beforeEach(() => present(root, {}));

  it('believes a server with a certificate for its host', async () => {
    expect(await believed(door.identify([byWeb(root.certificate)]))).toBe('spiffe://prod.example/agent/one');
  });

  it.each<[string, () => void]>([
    ['has one of another authority', () => present(createAuthority(), {})],
    ['has one for another host, and proves a SPIFFE ID', () => present(root)],
    ['sends elsewhere', () => (status = 302)],
  ])('does not believe one that %s', async (_, change) => {
    change();
    await expect(believed(door.identify([byWeb(root.certificate)]))).rejects.toMatchObject(unavailable);
  });

  it('takes no key for tokens that is one for certificates', async () => {
    const key = await newSigningKey('ES256', 'authority-x');
    served = { ...served, keys: [...(served['keys'] as object[]), { ...key.publicJwk, use: 'x509-svid' }] };
    const now = door.clock.now() / 1000;
    const claims = { sub: 'spiffe://prod.example/agent/one', aud: ['https://mayfly.example'], iat: now, exp: now + 60 };
    const identify = door.identify([{ ...byWeb(root.certificate), audiences: claims.aud }]);
    await expect(identify(await signToken(key, claims), { use: 'subject' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});

describe('the profile https_spiffe', () => {
  beforeEach(() => present(root));

  it('believes the server that proves its SPIFFE ID, whatever its host is called', async () => {
    expect(await believed(door.identify([bySpiffe()]))).toBe('spiffe://prod.example/agent/one');
  });

  it.each<[string, (more?: TestAuthority) => void]>([
    ['another workload', () => present(root, { uris: ['spiffe://prod.example/agent/one'] })],
    ['a workload whose name begins alike', () => present(root, { uris: [`${ID}/2`] })],
    ['two workloads', () => present(root, { uris: [ID, 'spiffe://prod.example/agent/one'] })],
    ['the workload in a list that is one name', () => present(root, { uris: [`spiffe://prod.example/x, URI:${ID}`] })],
    ['the workload as a host name', () => present(root, { names: ['localhost', ID] })],
    ['a host alone', () => present(root, {})],
    ['an authority', () => present(root, { uris: [ID], isAuthority: true })],
    ['the workload by another authority', () => present(createAuthority())],
  ])('does not believe %s', async (_, change) => {
    change();
    await expect(believed(door.identify([bySpiffe()]))).rejects.toMatchObject(unavailable);
  });

  it('asks nobody where no authority is known', async () => {
    await expect(believed(door.identify([bySpiffe(bundleOf([]))]))).rejects.toMatchObject(unavailable);
    expect(requests).toBe(0);
  });

  it('follows the authorities of its trust domain, and believes none that was given up', async () => {
    const [next, bundle] = [createAuthority(), watched(bySpiffe())];
    served = bundleOf([root, next], { spiffe_sequence: 2 });
    expect(await bundle.look()).toBeUndefined();
    present(next);
    served = bundleOf([next], { spiffe_sequence: 3 });
    door.clock.advance(300_000);
    expect(await bundle.look()).toMatchObject({
      message: expect.stringContaining('no authority in `bootstrap` is in use any more'),
    });
    present(root);
    door.clock.advance(300_000);
    expect(await bundle.look()).toMatchObject({ cause: { code: expect.stringMatching(/CERT|SIGNATURE/) } });
  });

  it('verifies the endpoint of another trust domain by the bundle of that one', async () => {
    const hub = createAuthority();
    const id = 'spiffe://hub.example/bundles';
    present(hub, { uris: [id] });
    const bundle = watched(bySpiffe(bundleOf([hub]), id));
    expect(await bundle.look()).toBeUndefined();
    door.clock.advance(300_000);
    present(root, { uris: [id] });
    expect(await bundle.look()).toBeInstanceOf(Error);
  });
});

describe('a bundle that is read again', () => {
  beforeEach(() => present(root));

  it.each([
    ['a second', 1, 10_000],
    ['a minute', 60, 60_000],
    ['a month', 2_592_000, 1_800_000],
    ['nothing', undefined, 300_000],
    ['no number', '60', 300_000],
  ])('is so at the time that it says, within bounds: %s', async (_, hint, ms) => {
    served = bundleOf([root], { spiffe_refresh_hint: hint });
    const bundle = watched(bySpiffe());
    await bundle.look();
    door.clock.advance(ms - 1);
    await bundle.look();
    expect(requests).toBe(1);
    door.clock.advance(1);
    await bundle.look();
    expect(requests).toBe(2);
  });

  it.each([
    ['an older one', { spiffe_sequence: 6 }],
    ['one without a number', { spiffe_sequence: undefined }],
    ['one whose number is none', { spiffe_sequence: '8' }],
  ])('is not replaced by %s: keys that were taken back would return', async (_, older) => {
    served = bundleOf([root], { spiffe_sequence: 7 });
    const entry = bySpiffe();
    const [identify, bundle] = [door.identify([entry]), watched(entry)];
    await believed(identify);
    await bundle.look();
    const stranger = await newSigningKey('ES256', 'authority-1');
    served = { ...bundleOf([root], older), keys: [{ ...stranger.publicJwk, use: 'jwt-svid' }] };
    door.clock.advance(300_000);
    expect(await believed(identify)).toBe('spiffe://prod.example/agent/one');
    expect(await bundle.look()).toMatchObject({ message: expect.stringMatching(/older than 7/) });
    served = bundleOf([root], { spiffe_sequence: 7 });
    door.clock.advance(300_000);
    expect(await bundle.look()).toBeUndefined();
  });

  it('is never older than the one it began with', async () => {
    const bundle = watched(bySpiffe(bundleOf([root], { spiffe_sequence: 5 })));
    expect(await bundle.look()).toMatchObject({
      message: expect.stringContaining('older than 5'),
    });
  });
});

describe('a bundle in a file', () => {
  const DAY_MS = 86_400_000;

  it.each([
    ['a day', 300, DAY_MS],
    ['ten times its refresh hint', 86_400, 10 * DAY_MS],
  ])('is told of where nobody has written it for longer than %s', async (_, hint, ms) => {
    const name = file(bundleOf([], { spiffe_refresh_hint: hint }));
    const writtenAt = (at: number) => utimesSync(join(door.directory, name), at / 1000, at / 1000);
    const bundle = watched(spiffe({ file: name }));
    writtenAt(door.clock.now() - ms);
    expect(await bundle.look()).toBeUndefined();
    writtenAt(door.clock.now() - ms - 1_000);
    expect(await bundle.look()).toMatchObject({ message: expect.stringContaining('the file was last written at 20') });
  });
});
