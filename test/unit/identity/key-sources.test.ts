import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Identify } from '../../../src/identity/identify.js';
import { keySource } from '../../../src/identity/key-source.js';
import { createServerCertificate } from '../../support/issuers/certificate.js';
import { createDoorstep } from '../../support/issuers/identity.js';
import { serveClient, type ClientSite } from '../../support/issuers/client-site.js';
import { createIssuer, type TokenWish } from '../../support/issuers/issuer.js';
import { type Behaviour, type IssuerSite, serveIssuer } from '../../support/issuers/site.js';
import { noProxy } from '../../../src/outbound/proxy.js';

const door = createDoorstep();
const tls = createServerCertificate();
let site: IssuerSite;

afterEach(() => site.close());
afterAll(() => door.remove());

const trusting = (jwks?: object): Identify =>
  door.identify([{ kind: 'oidc', name: 'lab', issuer: site.url, ...(jwks && { jwks }) }]);

const unavailable = {
  code: 'temporarily_unavailable',
  message: "The keys of the token's issuer cannot be read now.",
  details: { retry: 'later', retryAfterSeconds: 5 },
};

describe('keys from discovery', () => {
  beforeEach(async () => {
    site = await serveIssuer({ clock: door.clock });
  });

  it('are fetched when first needed, and once for many who ask at the same time', async () => {
    const identify = trusting();
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, n) => site.token({ sub: `agent-${n}` })));
    await Promise.all(tokens.map((token) => identify(token, { use: 'subject' })));
    expect(site.requests).toEqual(['/.well-known/openid-configuration', '/keys']);
  });

  it.each<[string, () => object, () => string]>([
    [
      'another issuer',
      () => ({ issuer: 'https://issuer.example' }),
      () => `names the issuer 'https://issuer.example', and the configuration names '${site.url}'`,
    ],
    [
      'its own issuer, spelled with a slash',
      () => ({ issuer: `${site.url}/` }),
      () => `names the issuer '${site.url}/', and the configuration names '${site.url}'`,
    ],
    [
      'an issuer that is no name',
      () => ({ issuer: 'https://a\u202e' }),
      () => 'names the issuer something that is no name',
    ],
    ['no issuer', () => ({ issuer: undefined }), () => 'names the issuer something that is no name'],
    ['keys on plain http elsewhere', () => ({ jwks_uri: 'http://192.0.2.1/keys' }), () => 'names no https URL'],
    ['keys in a file', () => ({ jwks_uri: 'file:///etc/keys' }), () => 'names no https URL'],
    ['no keys', () => ({ jwks_uri: undefined }), () => 'names no https URL'],
  ])('that name %s are a mistake of the configuration, and not an outage that passes', async (_, metadata, why) => {
    site.metadata = { ...metadata() };
    const identify = trusting();
    const refusal: unknown = await identify(await site.token(), { use: 'subject' }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'server_error', details: { retry: 'never' } });
    const { message, cause } = refusal as Error;
    expect(String(cause)).toContain(`${site.url}/.well-known/openid-configuration: ${why()}`);
    expect(message).not.toContain(site.url);
    // An operator who mends it at the issuer need not restart the broker.
    site.metadata = {};
    door.clock.advance(5_000);
    await expect(identify(await site.token(), { use: 'subject' })).resolves.toBeDefined();
  });

  it.each<Behaviour>(['failing', 'redirecting', 'huge', 'talking nonsense', 'hanging', 'dripping'])(
    'of a site that is %s make the answer "later", not "bad token", and quote nothing it said',
    async (behaviour) => {
      site.behaviour = behaviour;
      const refusal: unknown = await trusting()(await site.token(), { use: 'subject' }).catch(
        (error: unknown) => error,
      );
      expect(refusal).toMatchObject(unavailable);
      expect(String((refusal as Error).cause)).not.toContain('secret');
      expect(site.requests.some((path) => path.includes('followed'))).toBe(false);
    },
  );

  it('recover as soon as the site does', async () => {
    const identify = trusting();
    const token = await site.token();
    site.behaviour = 'failing';
    await expect(identify(token, { use: 'subject' })).rejects.toMatchObject(unavailable);
    site.behaviour = 'well';
    door.clock.advance(5_000);
    await expect(identify(token, { use: 'subject' })).resolves.toBeDefined();
  });
});

describe('keys from a URL', () => {
  beforeEach(async () => {
    site = await serveIssuer({ clock: door.clock, tls });
  });

  it('are fetched with the CA and the bearer token in the files, both read anew for each fetch', async () => {
    const source = {
      url: `${site.url}/keys`,
      ca: door.file('ca.pem', 'not there yet'),
      bearerFile: door.file('bearer', 'one\n'),
    };
    const identify = trusting(source);
    await expect(identify(await site.token(), { use: 'subject' })).rejects.toMatchObject(unavailable);
    door.file('ca.pem', tls.authority);
    door.clock.advance(5_000);
    await identify(await site.token(), { use: 'subject' });
    expect(site.authorization).toBe('Bearer one');
    door.file('bearer', 'two');
    door.clock.advance(600_000);
    await identify(await site.token(), { use: 'subject' });
    expect(site.authorization).toBe('Bearer two');
  });

  it('are not taken from a server that the system store does not know', async () => {
    const identify = trusting({ url: `${site.url}/keys` });
    await expect(identify(await site.token(), { use: 'subject' })).rejects.toMatchObject(unavailable);
    expect(site.requests).toEqual([]);
  });

  it('are not taken from a server with a certificate of another authority', async () => {
    const ca = door.file('other-ca.pem', createServerCertificate().authority);
    const identify = trusting({ url: `${site.url}/keys`, ca });
    await expect(identify(await site.token(), { use: 'subject' })).rejects.toMatchObject(unavailable);
  });

  it.each(['http://192.0.2.1/keys', 'http://localhost.example/keys', 'file:///etc/keys'])(
    'never come from %s',
    async (address) => {
      const cause: unknown = expect.objectContaining({ message: expect.stringContaining('Only https is allowed') });
      await expect(keySource({ url: address }, { baseDirectory: '.', proxyFor: noProxy }).read()).rejects.toMatchObject(
        { cause },
      );
    },
  );
});

const withheld = {
  code: 'temporarily_unavailable',
  message: expect.stringContaining('The token fits no key of its issuer.'),
  details: { retry: 'later', retryAfterSeconds: 30, isOutage: false },
};

describe('a token that no known key has signed', () => {
  beforeEach(async () => {
    site = await serveIssuer({ clock: door.clock });
  });

  it.each<[string, { sameIds?: boolean; header?: Record<string, unknown> }]>([
    ['a new key id', {}],
    ['a key id that had another key before', { sameIds: true }],
    ['no key id', { header: { kid: undefined } }],
  ])('and that has %s makes the keys be fetched again, so a rotation is noticed at once', async (_, how) => {
    const identify = trusting({ url: `${site.url}/keys` });
    await identify(await site.token(), { use: 'subject' });
    await site.rotate(how);
    const tokens = await Promise.all(['a', 'b'].map((sub) => site.token({ sub, ...how })));
    await Promise.all(tokens.map((token) => identify(token, { use: 'subject' })));
    expect(site.requests).toHaveLength(2);
  });

  /** What anybody can write: an unknown key id, and another signature under a known one. */
  const forgeries: [string, () => Promise<string>, string][] = [
    ['made-up key id', () => site.token({ header: { kid: crypto.randomUUID() } }), 'names no key of its issuer'],
    [
      'known key id',
      async () => `${(await site.token()).replace(/[^.]*$/, '')}${Buffer.alloc(64, 7).toString('base64url')}`,
      'is not signed by a key of its issuer',
    ],
  ];

  it('and is forged costs the issuer one request in 30 seconds, and nobody whose key is known waits', async () => {
    for (const [, forge, why] of forgeries) {
      const identify = trusting({ url: `${site.url}/keys` });
      const present = async (token: Promise<string>) => identify(await token, { use: 'subject' });
      site.requests.length = 0;
      await present(site.token());
      const refused = { code: 'invalid_request', message: `The subject token ${why}.` };
      await expect(present(forge())).rejects.toMatchObject(refused);
      for (let attempt = 0; attempt < 10; attempt += 1) await expect(present(forge())).rejects.toMatchObject(withheld);
      await present(site.token({ sub: 'another' }));
      expect(site.requests).toHaveLength(2);
      door.clock.advance(30_000);
      await expect(present(forge())).rejects.toMatchObject(refused);
      expect(site.requests).toHaveLength(3);
    }
  });

  it.each(forgeries)('after a forgery with a %s is "later" while nobody can know, and then taken', async (_, forge) => {
    const identify = trusting({ url: `${site.url}/keys` });
    await expect(identify(await forge(), { use: 'subject' })).rejects.toMatchObject({ code: 'invalid_request' });
    await site.rotate();
    door.clock.advance(18_500);
    const token = await site.token();
    const again = { ...withheld, details: { ...withheld.details, retryAfterSeconds: 12 } };
    await expect(identify(token, { use: 'subject' })).rejects.toMatchObject(again);
    door.clock.advance(again.details.retryAfterSeconds * 1_000);
    await expect(identify(token, { use: 'subject' })).resolves.toBeDefined();
  });

  it('while the source is down is "later": it may be a new key', async () => {
    const identify = trusting({ url: `${site.url}/keys` });
    await identify(await site.token(), { use: 'subject' });
    site.behaviour = 'failing';
    const token = await site.token({ header: { kid: 'perhaps-new' } });
    await expect(identify(token, { use: 'subject' })).rejects.toMatchObject(unavailable);
  });
});

describe('while its source is down', () => {
  beforeEach(async () => {
    site = await serveIssuer({ clock: door.clock });
  });

  it('the last keys of an issuer are used for an hour, and no longer', async () => {
    const identify = trusting({ url: `${site.url}/keys` });
    const token = await site.token({ expiresInSeconds: 7_200 });
    await identify(token, { use: 'subject' });
    site.behaviour = 'failing';
    door.clock.advance(3_599_000);
    await expect(identify(token, { use: 'subject' })).resolves.toBeDefined();
    door.clock.advance(1_000);
    await expect(identify(token, { use: 'subject' })).rejects.toMatchObject(unavailable);
  });

  it('is asked again every five seconds at most', async () => {
    const identify = trusting({ url: `${site.url}/keys` });
    site.behaviour = 'failing';
    for (let attempt = 0; attempt < 10; attempt += 1) {
      await expect(identify(await site.token(), { use: 'subject' })).rejects.toMatchObject(unavailable);
      door.clock.advance(500);
    }
    expect(site.requests).toHaveLength(1);
  });

  it('a clock that was set back does not put off the next reading', async () => {
    const identify = trusting({ url: `${site.url}/keys` });
    door.clock.advance(86_400_000);
    await identify(await site.token(), { use: 'subject' });
    door.clock.advance(-86_400_000);
    await identify(await site.token(), { use: 'subject' });
    expect(site.requests).toHaveLength(2);
  });
});

describe('keys from a file', () => {
  beforeEach(async () => {
    site = await serveIssuer({ clock: door.clock });
  });

  it('are read again when they change', async () => {
    const name = door.file('keys.json', site.jwks());
    const identify = trusting({ file: name });
    const old = await site.token();
    await identify(old, { use: 'subject' });
    await site.rotate();
    door.file(name, site.jwks());
    door.clock.advance(1_000);
    await expect(identify(old, { use: 'subject' })).rejects.toMatchObject({ code: 'invalid_request' });
    // A file can always be asked, so the answer is never "later".
    await expect(identify(old, { use: 'subject' })).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(identify(await site.token(), { use: 'subject' })).resolves.toBeDefined();
  });

  it.each([
    [2, true],
    [4, true],
    [5, false],
  ])('may have one key id, a few of them: of %i the last is found: %s', async (count, isFound) => {
    const issuers = await Promise.all(Array.from({ length: count }, () => createIssuer({ clock: door.clock })));
    const jwks = { keys: issuers.flatMap((one) => one.jwks().keys) };
    const trust = { kind: 'oidc', name: 'lab', issuer: issuers[0]!.url, jwks: { file: door.file('same.json', jwks) } };
    const identify = door.identify([trust]);
    const asked = identify(await issuers.at(-1)!.token(), { use: 'subject' });
    if (isFound) await expect(asked).resolves.toBeDefined();
    else await expect(asked).rejects.toThrow('is not signed by a key of its issuer');
    const stranger = await createIssuer({ clock: door.clock });
    await expect(identify(await stranger.token(), { use: 'subject' })).rejects.toThrow('is not signed by a key');
  });

  it('half written are not taken: the last good ones stand', async () => {
    const name = door.file('half.json', site.jwks());
    const identify = trusting({ file: name });
    const token = await site.token();
    await identify(token, { use: 'subject' });
    door.file(name, JSON.stringify(site.jwks()).slice(0, 100));
    door.clock.advance(1_000);
    await expect(identify(token, { use: 'subject' })).resolves.toBeDefined();
  });

  it('that are not there are "later", not "bad token"', async () => {
    await expect(trusting({ file: 'absent.json' })(await site.token(), { use: 'subject' })).rejects.toMatchObject(
      unavailable,
    );
  });
});

describe('keys in a client-id document', () => {
  let client: ClientSite;
  beforeEach(async () => {
    client = await serveClient({ clock: door.clock });
    site = await serveIssuer({ clock: door.clock });
  });
  afterEach(() => client.close());

  const trustingClient = (): Identify =>
    door.identify([
      {
        kind: 'oidc',
        name: 'apps',
        issuer: client.url,
        jwks: { clientDocument: true, ca: door.file('client-ca.pem', client.authority) },
      },
    ]);
  const signed = (claims: TokenWish = {}) => client.client.token({ sub: client.url, ...claims });
  const refusalOf = (identified: Promise<unknown>) => identified.catch((error: unknown) => error);

  it.each<[string, () => object, string[]]>([
    ['itself', () => ({}), ['/client.json']],
    ['a place beside it', () => ({ jwks: undefined, jwks_uri: `${client.origin}/keys` }), ['/client.json', '/keys']],
  ])('are read from %s, and prove the client whose URL it is', async (_what, document, requests) => {
    client.document = { ...document() };
    const { party } = await trustingClient()(await signed(), { use: 'client' });
    expect(party).toMatchObject({ id: `apps:${client.url}`, kind: 'workload', clientIds: [client.url] });
    expect(client.requests).toEqual(requests);
  });

  it('prove nobody but that client: it would escape its holds under another name', async () => {
    const refusal = await refusalOf(trustingClient()(await signed({ sub: 'another' }), { use: 'client' }));
    expect(refusal).toMatchObject({
      code: 'invalid_client',
      message: expect.stringContaining('another than the client'),
    });
  });

  it.each<[string, () => object, string]>([
    ['another client', () => ({ client_id: `${client.url}?` }), 'names the client'],
    ['no client', () => ({ client_id: undefined }), 'names the client something that is no name'],
    ['a client with a secret', () => ({ token_endpoint_auth_method: 'client_secret_post' }), 'does not sign'],
    ['a client without authentication', () => ({ token_endpoint_auth_method: undefined }), 'does not sign'],
    ['keys twice', () => ({ jwks_uri: `${client.origin}/keys` }), 'either jwks or jwks_uri'],
    ['no keys', () => ({ jwks: undefined }), 'either jwks or jwks_uri'],
    // This server answers, and is what an attacker would want the broker to ask.
    ['keys of a server inside', () => ({ jwks: undefined, jwks_uri: `${site.url}/keys` }), 'has its keys elsewhere'],
    ['keys in a file', () => ({ jwks: undefined, jwks_uri: 'file:///etc/keys' }), 'has its keys elsewhere'],
  ])('are not taken from one that says %s, and nobody else is asked', async (_what, document, why) => {
    client.document = { ...document() };
    const refusal = await refusalOf(trustingClient()(await signed(), { use: 'client' }));
    expect(refusal).toMatchObject({ code: 'server_error', details: { retry: 'never' } });
    expect(String((refusal as Error).cause)).toContain(why);
    expect([client.requests, site.requests]).toEqual([['/client.json'], []]);
  });

  it('change with it: a key that is gone proves nothing, and a client that is gone nothing after an hour', async () => {
    const identify = trustingClient();
    await identify(await signed(), { use: 'client' });
    const old = await signed({ expiresInSeconds: 20_000 });
    await client.client.rotate();
    door.clock.advance(600_000);
    await expect(identify(await signed(), { use: 'client' })).resolves.toBeDefined();
    await expect(identify(old, { use: 'client' })).rejects.toMatchObject({ code: 'invalid_client' });
    client.document = { client_id: 'https://elsewhere.example/client.json' };
    door.clock.advance(3_599_000);
    await expect(identify(await signed(), { use: 'client' })).resolves.toBeDefined();
    door.clock.advance(2_000);
    await expect(identify(await signed(), { use: 'client' })).rejects.toMatchObject({ code: 'server_error' });
  });
});
