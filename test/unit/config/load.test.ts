import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig, type LoadOptions } from '../../../src/config/load.js';
import { ConfigError } from '../../../src/config/problem.js';
import { createServerCertificate } from '../../support/issuers/certificate.js';

const SOUND = `issuer: https://mayfly.example
store: lmdb:../data
trust:
  - name: lab
    kind: oidc
    issuer: https://lab.example
    jwks: { file: ./lab.jwks.json }
targets:
  - resource: https://tickets.example
    minter: jwt
policy: { engine: cedar, directory: ./policies }
`;

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const PUBLIC_KEY = { ...publicKey.export({ format: 'jwk' }), kid: 'one' };

async function directoryWith(yaml: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-config-'));
  await mkdir(join(directory, 'policies'));
  await writeFile(join(directory, 'lab.jwks.json'), JSON.stringify({ keys: [PUBLIC_KEY] }));
  await writeFile(join(directory, 'mayfly.yaml'), yaml);
  return directory;
}

async function load(yaml: string, options: LoadOptions = {}) {
  const directory = await directoryWith(yaml);
  return { directory, loaded: await loadConfig({ env: {}, path: join(directory, 'mayfly.yaml'), ...options }) };
}

/** `line path: reason` of each problem. */
async function problems(yaml: string, options?: LoadOptions): Promise<string[]> {
  try {
    await load(yaml, options);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((p) => `${p.line ?? p.source} ${p.path}: ${p.reason}`);
    throw error;
  }
  return [];
}

describe('a policy engine elsewhere', () => {
  const elsewhere = (policy: string) => SOUND.replace('{ engine: cedar, directory: ./policies }', `{ ${policy} }`);
  const HTTPS = 'must be an https URL (http only on loopback) without user or password';

  it('has its defaults, its URL without a slash at the end, and absolute paths', async () => {
    const { directory, loaded } = await load(
      elsewhere('engine: opa, url: http://127.0.0.1:8181/, path: a/b, ca: ./ca.pem, bearerFile: ./token'),
      { checkFiles: false },
    );
    expect(loaded.config.policy).toEqual({
      ...{ engine: 'opa', url: 'http://127.0.0.1:8181', path: 'a/b', timeoutMs: 1_000, patterns: 'refuse' },
      actions: ['read', 'write', 'execute', 'export'],
      ca: join(directory, 'ca.pem'),
      bearerFile: join(directory, 'token'),
    });
  });

  it.each<[string, string[]]>([
    ['engine: opa, url: http://opa.example, path: a', [`11 policy.url: ${HTTPS}`]],
    ['engine: authzen, url: https://me:secret@pdp.example', [`11 policy.url: ${HTTPS}`]],
    ['engine: authzen, url: https://pdp.example/?a=b', ['11 policy.url: must have no query and no fragment']],
    ['engine: opa, url: https://opa.example, path: ../v1/policies', ['11 policy.path: must be the path of a document, such as mayfly/answer']],
    ['engine: opa, url: https://opa.example, path: /a', ['11 policy.path: must be the path of a document, such as mayfly/answer']],
    ['engine: authzen, url: https://pdp.example, actions: [s3 get]', ['11 policy.actions[0]: must be the name of an action, such as read or s3:GetObject']],
    ['engine: authzen, url: https://pdp.example, ca: ./no.pem', ['11 policy.ca: is not a file that can be read']],
    ['engine: authzen, url: https://pdp.example, bearerFile: ./no', ['11 policy.bearerFile: is not a file that can be read']],
  ])('is refused as { %s }', async (policy, expected) => {
    expect(await problems(elsewhere(policy))).toEqual(expected);
  }); // prettier-ignore
});

describe('a sound configuration', () => {
  it('has its defaults, and every path absolute from its own directory', async () => {
    const { directory, loaded } = await load(SOUND);
    expect(loaded.config.listen).toBe('127.0.0.1:8080');
    expect(loaded.config.lifetimes).toMatchObject({ credential: 300, taskMax: 28_800 });
    expect(loaded.config.policy).toMatchObject({ directory: join(directory, 'policies') });
    expect(loaded.config.trust[0]).toMatchObject({ jwks: { file: join(directory, 'lab.jwks.json') } });
    expect(loaded.store).toEqual({ kind: 'lmdb', directory: join(directory, '../data') });
    expect(loaded.path).toBe(join(directory, 'mayfly.yaml'));
  });

  it('is found through MAYFLY_CONFIG', async () => {
    const path = join(await directoryWith(SOUND), 'mayfly.yaml');
    await expect(loadConfig({ env: { MAYFLY_CONFIG: path } })).resolves.toMatchObject({ path });
  });

  it('may name several Redis nodes', async () => {
    const nodes = '{ redis: [redis://a:1, redis://b:2] }';
    const { loaded } = await load(SOUND.replace('lmdb:../data', nodes));
    expect(loaded.store).toEqual({ kind: 'redis', urls: ['redis://a:1', 'redis://b:2'], cluster: true });
  });

  it('may name files of another machine when they are not looked for', async () => {
    const elsewhere = SOUND.replace('./lab.jwks.json', '/nowhere/keys.json').replace('./policies', '/nowhere');
    expect(await problems(elsewhere)).toEqual([
      '7 trust[0].jwks.file: is not a file that can be read',
      '11 policy.directory: is not a directory that can be read',
    ]);
    expect(await problems(elsewhere, { checkFiles: false })).toEqual([]);
  });

  it('may have policies on trial, and says that they decide nothing', async () => {
    const trial = (text: string) => SOUND.replace('directory: ./policies', `directory: ./policies, trial: ${text}`);
    const { config, directory } = (await load(trial('{ directory: ./policies, enforce: audit }'))).loaded;
    expect(config.policy).toMatchObject({ trial: { directory: join(directory, 'policies'), enforce: 'audit' } });
    expect(await problems(trial('{ directory: ./next, enforce: audit }'))).toEqual([
      '11 policy.trial.directory: is not a directory that can be read',
    ]);
    const silent = await problems(trial('{ directory: ./policies }'));
    expect(silent).toEqual([expect.stringContaining('policy.trial.enforce')]);
    const binding = await problems(trial('{ directory: ./policies, enforce: deny }'));
    expect(binding).toEqual([expect.stringContaining('policy.trial.enforce')]);
  });
});

describe('a file that is named', () => {
  const EVERY_FILE = `issuer: https://mayfly.example
store: rediss://redis.example
redis: { ca: ./ca }
trust:
  - { name: lab, kind: oidc, issuer: https://lab.example, jwks: { file: ./keys }, also: [{ issuer: https://b.example, jwks: { file: ./keys } }] }
  - { name: far, kind: oidc, issuer: https://far.example, jwks: { url: https://far.example/keys, ca: ./ca, bearerFile: ./bearer } }
  - { name: prod, kind: spiffe, trustDomain: prod.example, bundle: { file: ./bundle } }
targets: [{ resource: https://tickets.example, minter: jwt }]
policy: { engine: cedar, directory: ./policies }
signals:
  transmitters: [{ name: idp, issuer: https://idp.example, audience: a, about: [lab], jwks: { file: ./keys } }]
notify: [{ name: soc, url: https://soc.example, ca: ./ca, types: [signal.evaluated] }]
`;
  const { authority, key: serverKey } = createServerCertificate();
  const sound = {
    keys: JSON.stringify({ keys: [PUBLIC_KEY] }),
    bundle: JSON.stringify({ keys: [{ ...PUBLIC_KEY, use: 'jwt-svid' }] }),
    ca: `a comment\n${authority}\n${authority}`,
    bearer: 'token\n',
  };

  async function loadedWith(files: Partial<typeof sound>) {
    const directory = await directoryWith(EVERY_FILE);
    for (const [name, text] of Object.entries({ ...sound, ...files })) await writeFile(join(directory, name), text);
    return loadConfig({ env: {}, path: join(directory, 'mayfly.yaml') });
  }

  /** Every place that names the file, and what is said there. */
  const PLACES = {
    keys: ['trust[0].jwks.file', 'trust[0].also[0].jwks.file', 'signals.transmitters[0].jwks.file'],
    bundle: ['trust[2].bundle.file'],
    ca: ['redis.ca', 'trust[1].jwks.ca', 'notify[0].ca'],
    bearer: ['trust[1].jwks.bearerFile'],
  };

  it('is sound, wherever it is named', async () => {
    await expect(loadedWith({})).resolves.toMatchObject({ warnings: [] });
  });

  const HIDDEN = /has a private or symmetric key: .* replace this key$/;
  const PEM = /^is PEM: keys are read as a JWKS/;
  const HTML = /^is HTML or XML/;
  it.each<[keyof typeof sound, string, string, RegExp]>([
    ['keys', 'nothing', '', /^is empty$/],
    ['keys', 'a line break', '\n', /^is empty$/],
    ['keys', 'a public key', publicKey.export({ type: 'spki', format: 'pem' }).toString(), PEM],
    ['keys', 'a certificate', authority, PEM],
    ['keys', 'a private key', serverKey, HIDDEN],
    ['keys', 'a private JWK', JSON.stringify(privateKey.export({ format: 'jwk' })), HIDDEN],
    ['keys', 'a private key in a JWKS', JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] }), HIDDEN],
    ['keys', 'a symmetric key', '{"keys":[{"kty":"oct","k":"secret"}]}', HIDDEN],
    ['keys', 'a page', '<!doctype html><p>secret</p>', HTML],
    ['keys', 'words', 'secret', /^is not a JSON object$/],
    ['keys', 'one key', JSON.stringify(PUBLIC_KEY), /^is one key: write it as/],
    [
      'keys',
      'a discovery document',
      '{"issuer":"x","jwks_uri":"secret"}',
      /^is a discovery document: name what its jwks_uri/,
    ],
    ['keys', 'UTF-16', Buffer.from('{"keys":[]}', 'utf16le').toString(), /^is UTF-16/],
    ['keys', 'too much', `{"keys":[]}${' '.repeat(256 * 1024)}`, /^is larger than 256 KiB$/],
    ['bundle', 'a PEM bundle', authority, PEM],
    ['bundle', 'a list of trust domains', '{"trust_domains":{}}', /^has no list of keys: it must be a SPIFFE bundle/],
    ['bundle', 'a private key', serverKey, HIDDEN],
    ['ca', 'nothing', '', /^is empty; certificates in PEM/],
    ['ca', 'a page', '<html>secret', HTML],
    ['ca', 'a private key', serverKey, /^has a private key and no certificate; certificates in PEM are needed$/],
    ['ca', 'a JWKS', sound.keys, /^is JSON; certificates/],
    ['ca', 'half a certificate', authority.replace(/\n[^-\n]{64}\n/, '\n'), /^has a certificate that cannot be read$/],
    ['bearer', 'nothing', ' \n', /^is empty/],
    ['bearer', 'a header', 'Bearer secret', /^must hold one token/],
    ['bearer', 'a private key', serverKey, /^must hold one token/],
  ])('as %s and holds %s is a mistake in every place, and is not quoted', async (name, _, text, reason) => {
    const error: unknown = await loadedWith({ [name]: text }).catch((thrown: unknown) => thrown);
    const { problems: found } = error as ConfigError;
    expect(found.map(({ path }) => path).toSorted()).toEqual(PLACES[name].toSorted());
    for (const one of found) expect(one.reason).toMatch(reason);
    expect(String(error)).not.toMatch(/secret|MII|MHc/);
  });

  const [NOBODY, NO_SVID] = [/^has no key that could verify a token/, /^has no key for JWT-SVIDs/];
  it.each<[keyof typeof sound, string, object[], RegExp]>([
    ['keys', 'no key', [], NOBODY],
    ['keys', 'a key for encryption', [{ ...PUBLIC_KEY, use: 'enc' }], NOBODY],
    ['bundle', 'no key', [], NO_SVID],
    ['bundle', 'the keys of a JWKS', [PUBLIC_KEY], NO_SVID],
  ])('as %s and has %s is a warning', async (name, _, keys, reason) => {
    const { warnings } = await loadedWith({ [name]: JSON.stringify({ keys }) });
    expect(warnings.map(({ path }) => path).toSorted()).toEqual(PLACES[name].toSorted());
    for (const one of warnings) expect(one.reason).toMatch(reason);
  });
});

describe('the environment', () => {
  it('says where Redis is, whatever the file says', async () => {
    const env = { REDIS_URL: 'rediss://user:secret@redis.example:6380' };
    const { loaded } = await load(SOUND, { env });
    expect(loaded.store).toEqual({ kind: 'redis', urls: [env.REDIS_URL], cluster: false });
  });

  it('names a Cluster by its nodes', async () => {
    const { loaded } = await load(SOUND, { env: { REDIS_URL: 'redis://a:1,redis://b:2' } });
    expect(loaded.store).toEqual({ kind: 'redis', urls: ['redis://a:1', 'redis://b:2'], cluster: true });
  });

  it('says who connects to Redis and to the Sentinels, which a file may name', async () => {
    const sentinels = '{ sentinel: [a:26379, b:26379], name: mymaster }';
    const env = {
      REDIS_USERNAME: 'mayfly',
      REDIS_PASSWORD: 'secret',
      SENTINEL_PASSWORD: 'other',
      SENTINEL_USERNAME: '',
    };
    const { loaded } = await load(SOUND.replace('lmdb:../data', sentinels), { env });
    expect(loaded.store).toEqual({
      ...{ kind: 'redis', sentinels: ['a:26379', 'b:26379'], name: 'mymaster', tls: false },
      login: { username: 'mayfly', password: 'secret', sentinelPassword: 'other' },
    });
  });

  it('holds the key-encryption key, or names its file, or leaves it to the broker', async () => {
    const { directory, loaded } = await load(SOUND, { env: { MAYFLY_KEY_ENCRYPTION_KEY: '' } });
    const defaultFile = join(directory, '../data/key-encryption.key');
    expect(loaded.keyEncryptionKey).toEqual({ defaultFile });

    const value = (await load(SOUND, { env: { MAYFLY_KEY_ENCRYPTION_KEY: 'k' } })).loaded;
    expect(value.keyEncryptionKey).toMatchObject({ value: 'k' });

    const named = join(directory, 'lab.jwks.json');
    const fromFile = (await load(SOUND, { env: { MAYFLY_KEY_ENCRYPTION_KEY_FILE: named } })).loaded;
    expect(fromFile.keyEncryptionKey).toMatchObject({ file: named });
  });

  it.each<[Record<string, string>, object | undefined]>([
    [{}, undefined],
    [{ HTTPS_PROXY: '', NO_PROXY: 'x' }, undefined],
    [{ HTTP_PROXY: 'http://proxy:3128' }, undefined],
    [{ HTTPS_PROXY: 'http://me:secret@proxy:3128' }, { url: 'http://me:secret@proxy:3128', except: '' }],
    [
      { HTTPS_PROXY: 'http://a', https_proxy: 'https://b/', NO_PROXY: 'c', no_proxy: 'd' },
      { url: 'https://b/', except: 'd' },
    ],
  ])('%j names the proxy', async (env, proxy) => {
    expect((await load(SOUND, { env })).loaded.proxy).toEqual(proxy);
  });

  it.each(['proxy:3128', 'socks5://proxy', 'http://proxy/path', 'http://me:hunter2%@proxy'])(
    '%s is no proxy',
    async (url) => {
      const [problem] = await problems(SOUND, { env: { HTTPS_PROXY: url } });
      expect(problem).toMatch(/^environment HTTPS_PROXY: must be the http/);
      expect(problem).not.toContain('hunter2');
    },
  );

  it('is refused with the file, and never repeated', async () => {
    const env = {
      HTTPS_PROXY: 'socks5://hunter2@proxy',
      REDIS_URL: 'http://:hunter2@x',
      MAYFLY_KEY_ENCRYPTION_KEY: 'hunter2',
      MAYFLY_KEY_ENCRYPTION_KEY_FILE: '/nowhere/key',
    };
    const found = await problems(SOUND.replace('https://mayfly.example', 'ftp://x'), { env });
    expect(found.map((line) => line.split(':')[0])).toEqual([
      '1 issuer',
      'environment REDIS_URL',
      'environment HTTPS_PROXY',
      'environment MAYFLY_KEY_ENCRYPTION_KEY_FILE',
      'environment MAYFLY_KEY_ENCRYPTION_KEY_FILE',
    ]);
    expect(found.join()).not.toContain('hunter2');
  });

  it('must name a file that exists', async () => {
    await expect(loadConfig({ env: {} })).rejects.toThrow(
      'No configuration: give it as -c <file> (check-config and doctor: as an argument), or set MAYFLY_CONFIG.',
    );
    await expect(loadConfig({ env: {}, path: '/nowhere.yaml' })).rejects.toThrow('not a file that can be read');
  });
});

describe('mistakes', () => {
  it('are reported all at once, each with its line, path and reason', async () => {
    const yaml = `issuer: https://mayfly.example/
lisen: 127.0.0.1:8080
trust:
  - name: Lab
    kind: oidc
    issuer: https://lab.example
    jwks: { file: ./lab.jwks.json, url: https://lab.example/jwks }
  - name: prod
    kind: saml
targets:
  - resource: tickets
    minter: jwt
    labels: [{ match: "incident/**/x", sensitivity: [] }]
lifetimes:
  credential: 7200
  task: soon
`;
    const found = await problems(yaml);
    expect(found).toEqual([
      '1 issuer: must be an origin such as https://mayfly.example (http only on loopback), without path or trailing slash',
      '1 policy: is missing: expected object',
      '2 lisen: is not a known setting. Did you mean listen?',
      '4 trust[0].name: must be a lower-case letter, then up to 31 of a-z 0-9 -',
      '7 trust[0].jwks.url: is a setting of another form than the one that is written here',
      "9 trust[1].kind: Expected 'oidc' | 'spiffe'",
      '11 targets[0].resource: must be an absolute URI in ASCII, without a fragment',
      '13 targets[0].labels[0].match: the path has "**" before its end',
      '13 targets[0].labels[0].sensitivity: Too small: expected array to have >=1 items',
      '15 lifetimes.credential: Too big: expected number to be <=3600',
      '16 lifetimes.task: must be a number of seconds, without quotes and without a unit: such as 300',
    ]);
  });

  it('name the file and the line', async () => {
    await expect(load(SOUND.replace('minter: jwt', 'minter: magic'))).rejects.toThrow(
      /mayfly\.yaml:10: targets\[0\]\.minter: /,
    );
  });

  it('in the sound parts are found beside those that make another part unreadable', async () => {
    const yaml = SOUND.replace('policy:', 'lifetimes: { credential: 900, credentialMax: 60 }\nlog: 3\npolicy:');
    expect(await problems(yaml)).toEqual([
      '11 lifetimes.credential: is more than lifetimes.credentialMax',
      '12 log: expected object, received number',
    ]);
  });
});

describe('parts that do not fit each other', () => {
  const trust = (...entries: string[]) => SOUND.replace(/trust:\n(?: {2}.*\n)+/, `trust:\n${entries.join('')}`);
  const oidc = (name: string, rest: string) =>
    `  - { kind: oidc, name: ${name}, jwks: { url: https://x.example }, ${rest} }\n`;
  const spiffe = (name: string) =>
    `  - { kind: spiffe, name: ${name}, trustDomain: prod.example, bundle: { file: lab.jwks.json } }\n`;
  const endpoint = (name: string, bundle: string) =>
    `  - { kind: spiffe, name: ${name}, trustDomain: ${name}.example, bundle: { ${bundle} } }\n`;

  it.each([
    [
      'one name for two issuers',
      trust(oidc('a', 'issuer: x'), oidc('a', 'issuer: y')),
      '5 trust[1].name: is the name of another trust entry',
    ],
    [
      'one issuer and audience twice, also by default',
      trust(oidc('a', 'issuer: x'), oidc('b', 'issuer: x, represents: person, audiences: [z, https://mayfly.example]')),
      '5 trust[1].audiences[1]: is trusted twice: a token would have two names',
    ],
    [
      'a bundle endpoint without TLS, or one that must prove to be no workload',
      trust(
        endpoint('a', 'url: "http://127.0.0.1/b", profile: https_web'),
        endpoint(
          'b',
          'url: "https://b.example/b", profile: https_spiffe, id: "spiffe://b.example", bootstrap: lab.jwks.json',
        ),
        endpoint('c', 'url: "https://c.example/b", profile: https_spiffe, bootstrap: lab.jwks.json'),
      ),
      expect.stringMatching(/^4 trust\[0\]\.bundle\.url: must be an https URL/),
      expect.stringMatching(/^5 trust\[1\]\.bundle\.id: must be the SPIFFE ID of a workload/),
      expect.stringMatching(/^6 trust\[2\]\.bundle\.id: /),
    ],
    [
      'a bundle that verifies no endpoint, and one that is not there',
      trust(
        endpoint(
          'a',
          'url: "https://a.example/b", profile: https_spiffe, id: "spiffe://a/b", bootstrap: lab.jwks.json',
        ),
        endpoint('b', 'url: "https://b.example/b", profile: https_web, ca: no'),
      ),
      expect.stringMatching(/^4 trust\[0\]\.bundle\.bootstrap: has no certificate of an authority/),
      '5 trust[1].bundle.ca: is not a file that can be read',
    ],
    [
      'one trust domain twice',
      trust(spiffe('a'), spiffe('b')),
      '5 trust[1].trustDomain: is trusted twice: a token would have two names',
    ],
    [
      'a client id that nobody could prove, or that is the name of another workload',
      `${trust(oidc('a', 'issuer: x'), oidc('p', 'issuer: y, represents: person'))}clientIds: { one: "a:agent", two: "p:ada", x: "a:agent", "a:b": "a:agent" }\n`,
      '10 clientIds.two: is no id of a workload: it begins with the name of no entry of `trust`',
      '10 clientIds.x: is what another workload is called: its id, or the issuer of its tokens',
      '10 clientIds.a:b: is what another workload is called: its id, or the issuer of its tokens',
    ],
    [
      'ID-JAGs of an issuer of workloads, and from a public client that nobody knows',
      trust(
        oidc('a', 'issuer: x, idJag: {}'),
        oidc('p', 'issuer: y, represents: person, idJag: { publicClients: [one] }'),
      ),
      '4 trust[0].idJag: is for persons; this issuer represents workloads',
      '5 trust[1].idJag.publicClients[0]: is none of `clientIds`',
    ],
    [
      'a page for approvers where no person could sign in, or that has no use for its secret',
      `${trust(oidc('a', 'issuer: x'))}approvals: { page: { trust: a, clientId: web, clientSecretFile: ./none } }\n`,
      '9 approvals.page.trust: must be an entry of kind oidc that represents persons',
      '9 approvals.page.clientSecretFile: has no use with private_key_jwt',
      '9 approvals.page.clientSecretFile: is not a file that can be read',
    ],
    [
      'a page for approvers whose tokens nobody would take, and without the secret that it needs',
      `${trust(oidc('p', 'issuer: y, represents: person'))}approvals: { page: { trust: p, clientId: web, authenticates: client_secret_post } }\n`,
      '9 approvals.page.clientId: must stand in `audiences` of the entry p, whose ID tokens are for it',
      '9 approvals.page.clientSecretFile: is needed for a client secret',
    ],
    [
      'a page for approvers of an issuer that is not there',
      `${trust(oidc('a', 'issuer: x'))}approvals: { page: { trust: staff, clientId: web } }\n`,
      '9 approvals.page.trust: is the name of no entry of `trust`',
    ],
    [
      'a client-id document that is none, or that stands for others than its client',
      trust(
        ...['client', 'https://c.example', 'https://c.example/a#b', 'https://C.example/a', 'http://c.example/a'].map(
          (url, index) => `  - { kind: oidc, name: c${index}, issuer: "${url}", jwks: { clientDocument: true } }\n`,
        ),
        '  - { kind: oidc, name: p, issuer: "https://c.example/p", jwks: { clientDocument: true }, represents: person }\n',
        '  - { kind: oidc, name: w, issuer: "https://c.example/w", jwks: { clientDocument: true }, workload: [azp] }\n',
      ),
      ...[4, 5, 6, 7, 8].map(
        (line) =>
          `${line} trust[${line - 4}].issuer: is no URL of a client-id document: https (http on loopback), with a path, without a fragment`,
      ),
      '9 trust[5].jwks: is for workloads; this issuer represents persons',
      '10 trust[6].workload: is not for a client that signs for itself: its id is its URL',
    ],
    [
      'the broker as an issuer of identities',
      trust(oidc('a', 'issuer: https://mayfly.example/')),
      '4 trust[0].issuer: is the broker itself, whose tokens prove no identity',
    ],
    [
      'an owner for persons',
      trust(oidc('a', 'issuer: x, represents: person, owner: { value: sre }')),
      '4 trust[0].owner: is for workloads; this issuer represents persons',
    ],
    [
      'groups for workloads',
      trust(oidc('a', 'issuer: x, groups: { claim: groups }')),
      '4 trust[0].groups: is for persons; this issuer represents workloads',
    ],
    [
      'keys discovered in clear text',
      trust('  - { kind: oidc, name: a, issuer: "http://lab.example" }\n'),
      '4 trust[0].issuer: needs `jwks`: keys are discovered over https only (http on loopback)',
    ],
    [
      'a trust domain as an OIDC issuer',
      trust('  - { kind: oidc, name: a, issuer: "spiffe://prod.example" }\n'),
      '4 trust[0].issuer: is a SPIFFE trust domain: it needs an entry with `kind: spiffe`',
    ],
    [
      'keys fetched in clear text',
      trust('  - { kind: oidc, name: a, issuer: x, jwks: { url: "http://lab.example/jwks" } }\n'),
      '4 trust[0].jwks.url: must be an https URL (http only on loopback) without user or password',
    ],
    [
      'a further issuer that is another entry',
      trust(
        oidc('a', 'issuer: x, also: [{ issuer: y, jwks: { file: lab.jwks.json } }]'),
        oidc('b', 'issuer: y, audiences: [z]'),
      ),
      expect.stringMatching(/^5 trust\[1\]\.issuer: is trusted under another name too/),
    ],
    [
      'a further issuer that is the broker, or has no keys, or a key file that is not there',
      trust(
        oidc(
          'a',
          'issuer: x, also: [{ issuer: "https://mayfly.example" }, { issuer: y }, { issuer: z, jwks: { file: no } }]',
        ),
      ),
      '4 trust[0].also[0].issuer: is the broker itself, whose tokens prove no identity',
      '4 trust[0].also[1].issuer: needs `jwks`: keys are discovered over https only (http on loopback)',
      '4 trust[0].also[2].jwks.file: is not a file that can be read',
    ],
    [
      'a proof older than cutoffs are remembered',
      trust(oidc('a', 'issuer: x, proofAgeMax: 86401')),
      '4 trust[0].proofAgeMax: Too big: expected number to be <=86400',
    ],
    [
      'claims for the ids of persons',
      trust(oidc('a', 'issuer: x, represents: person, workload: [oid]')),
      '4 trust[0].workload: is for workloads; this issuer represents persons',
    ],
    [
      'a run of persons',
      trust(oidc('a', 'issuer: x, represents: person, run: sid')),
      '4 trust[0].run: is for workloads; this issuer represents persons',
    ],
    [
      'one resource for two targets',
      SOUND.replace('policy:', '  - { resource: https://tickets.example, minter: jwt }\npolicy:'),
      '11 targets[1].resource: is the name of another target',
    ],
    [
      'metrics where the API is',
      `${SOUND}operations: 127.0.0.1:8080\n`,
      '12 operations: is where the API listens: metrics would be public',
    ],
    [
      'a usual task lifetime above the most',
      `${SOUND}lifetimes: { task: 100, taskMax: 99 }\n`,
      '12 lifetimes.task: is more than lifetimes.taskMax',
    ],
    [
      'a Redis that is trusted, though nothing would show that it was set back',
      `${SOUND}redis: { onRestart: trust }\n`,
      '12 redis.onRestart: needs `redis.seenDirectory`, to notice a Redis that was set back',
    ],
    [
      'a password in the store URL',
      SOUND.replace('lmdb:../data', 'redis://u:hunter2@redis.example'),
      '2 store: holds a password: secrets never stand here, set REDIS_URL',
    ],
    [
      'a password in its query',
      SOUND.replace('lmdb:../data', 'redis://redis.example/?password=hunter2'),
      '2 store: holds a password: secrets never stand here, set REDIS_URL',
    ],
    [
      'a password of a Cluster node',
      SOUND.replace('lmdb:../data', '\n  redis: [redis://a, "redis://:hunter2@b"]'),
      '3 store.redis[1]: holds a password: secrets never stand here, set REDIS_URL',
    ],
  ])('are refused: %s', async (_, yaml, ...found) => {
    expect(await problems(yaml)).toEqual(found);
  });

  it.each(['workload', 'person'])(
    'are refused: an issuer of the same %s under two names, whatever the audiences',
    async (who) => {
      const entry = (name: string, audience: string) =>
        oidc(name, `issuer: x, represents: ${who}, audiences: [${audience}]`);
      expect(await problems(trust(entry('a', 'one'), entry('b', 'two')))).toEqual([
        expect.stringMatching(
          /^5 trust\[1\]\.issuer: is trusted under another name too: .* held under one name could come/,
        ),
      ]);
    },
  );

  it('are not: an issuer on loopback whose keys are discovered over http', async () => {
    expect(await problems(trust('  - { kind: oidc, name: a, issuer: "http://127.0.0.1:8081" }\n'))).toEqual([]);
  });

  it('are not: an issuer of workloads and persons, for two audiences', async () => {
    const yaml = trust(
      oidc('a', 'issuer: x, audiences: [one]'),
      oidc('b', 'issuer: x, represents: person, audiences: [two]'),
    );
    expect(await problems(yaml)).toEqual([]);
  });
});

describe('what somebody meant by a mistake', () => {
  const EMPTY = '1 : is empty: name at least issuer, trust, targets and policy, as config/example.yaml does';
  const HOST_PORT = 'must be host:port, such as 127.0.0.1:8080, the host an address or name, [::1]:8080 for IPv6';
  const NO_UNIT = 'must be a number of seconds, without quotes and without a unit';
  const DOMAIN = 'must be a SPIFFE trust domain such as prod.example: lower case, without spiffe:// and without a path';
  const SENTINELS =
    'names Sentinels in a way that is not read here: write `store: { sentinel: [host:port, …], name: mymaster }` in the file';
  const VARIABLE =
    'has a variable in it, and nothing replaces variables here: write the value. The environment can hold REDIS_URL, and what else docs/configuration.md lists';
  const UNKNOWN = 'is not a known setting';
  const WILDCARD =
    'the path has a "*" beside other characters: "*" stands for one whole segment, "**" at the end for one or more';
  const spiffe = (domain: string) =>
    SOUND.replace(
      'targets:',
      `  - { kind: spiffe, name: p, trustDomain: "${domain}", bundle: { file: lab.jwks.json } }\ntargets:`,
    );
  const store = (text: string) => SOUND.replace('lmdb:../data', text);
  const more = (text: string) => `${SOUND}${text}\n`;
  const merged = `x: &x { kind: oidc }\n${SOUND.replace('kind: oidc', '<<: *x')}`;

  it.each<[string, string, ...string[]]>([
    ['an empty file', '', EMPTY],
    ['a file with a comment alone', '# later\n', EMPTY],
    ['a variable', store('${REDIS_URL}'), `2 store: ${VARIABLE}`],
    ['a variable with a default', store('"${REDIS_URL:-lmdb:data}"'), `2 store: ${VARIABLE}`],
    ['a variable within a value', SOUND.replace('mayfly.example', '${HOST}.example'), `1 issuer: ${VARIABLE}`],
    ['a variable in a file name', SOUND.replace('./policies', '$(POLICIES)/x'), `11 policy.directory: ${VARIABLE}`],
    ['a bare variable', store('$REDIS_URL'), `2 store: ${VARIABLE}`],
    ['Sentinels in a URL', store('redis+sentinel://a:26379/mymaster'), `2 store: ${SENTINELS}`],
    ['Sentinels in a URL of another client', store('redis-sentinel://a'), `2 store: ${SENTINELS}`],
    ['a trust domain as a URI', spiffe('spiffe://prod.example'), `8 trust[1].trustDomain: ${DOMAIN}`],
    ['a port alone', more('listen: 8080'), `12 listen: ${HOST_PORT}`],
    ['a port behind a colon', more('operations: ":9090"'), `12 operations: ${HOST_PORT}`],
    ['minutes', more('lifetimes: { task: 5m }'), `12 lifetimes.task: ${NO_UNIT}: here 300`],
    ['hours', more('lifetimes: { task: 1h }'), `12 lifetimes.task: ${NO_UNIT}: here 3600`],
    ['a number in quotes', more("lifetimes: { task: '90' }"), `12 lifetimes.task: ${NO_UNIT}: here 90`],
    ['an ISO duration', more('drainSeconds: PT5M'), `12 drainSeconds: ${NO_UNIT}: such as 300`],
    [
      'a size with a unit',
      more('limits: { keptMiB: { perOwner: 1GiB } }'),
      '12 limits.keptMiB.perOwner: must be a number, without quotes and without a unit',
    ],
    [
      'a star within a segment',
      SOUND.replace('minter: jwt', 'minter: jwt\n    labels: [{ match: customer/*/x*, sensitivity: pii }]'),
      `11 targets[0].labels[0].match: ${WILDCARD}`,
    ],
    [
      'merged keys',
      merged,
      `1 x: ${UNKNOWN}`,
      '6 trust[0].<<: merges nothing here: write the settings out, or name a whole value by its alias (`jwks: *keys`)',
    ],
    ['a misspelt section', more('lifetime: { task: 60 }'), `12 lifetime: ${UNKNOWN}. Did you mean lifetimes?`],
    [
      'a misspelt setting of a section',
      more('lifetimes: { credentialMaximum: 60, clockskew: 5 }'),
      `12 lifetimes.credentialMaximum: ${UNKNOWN}`,
      `12 lifetimes.clockskew: ${UNKNOWN}. Did you mean clockSkew?`,
    ],
    [
      'a misspelt setting within a list',
      SOUND.replace('issuer: https://lab', 'audience: [x]\n    issuer: https://lab'),
      `6 trust[0].audience: ${UNKNOWN}. Did you mean audiences?`,
    ],
    [
      'a setting of a section at the top',
      more('clockSkew: 5'),
      `12 clockSkew: ${UNKNOWN}. Did you mean lifetimes.clockSkew?`,
    ],
    [
      'a setting of the top in a section',
      more('lifetimes: { drainSecond: 5 }'),
      `12 lifetimes.drainSecond: ${UNKNOWN}. Did you mean drainSeconds?`,
    ],
  ])('is said of %s', async (_, yaml, ...reasons) => {
    const found = await problems(yaml);
    expect(found.filter((one) => !one.includes('trust[0].kind'))).toEqual(reasons);
  });

  it('is said of Sentinels in the environment', async () => {
    const env = { REDIS_URL: 'redis+sentinel://:hunter2@a:26379/mymaster' };
    expect(await problems(SOUND, { env })).toEqual([`environment REDIS_URL: ${SENTINELS}`]);
  });
});

describe('what is sound and rarely meant', () => {
  const shared = (rest: string) =>
    SOUND.replace('    jwks:', `    audiences: [workloads]\n    ${rest}\n    jwks:`).replace(
      'targets:',
      '  - { kind: oidc, name: staff, represents: person, issuer: https://lab.example, require: { azp: [web] } }\ntargets:',
    );
  const at = (issuer: string) => SOUND.replace('https://lab.example', issuer);
  const publicClient = (owner: string) =>
    `${SOUND.replace('    jwks:', `    owner: ${owner}\n    jwks:`).replace(
      'targets:',
      '  - { kind: oidc, name: idp, represents: person, issuer: https://idp.example, idJag: { publicClients: [app] } }\ntargets:',
    )}clientIds: { app: "lab:app" }\n`;

  it.each([
    [
      'two entries that only the audience tells apart',
      shared('algorithms: [ES256]'),
      /^4 trust\[0\]: .*only the audience/,
    ],
    ['an issuer of the whole world', at('https://gitlab.com'), /^4 trust\[0\]: lets in everybody/],
    [
      'a public client whose team only a token of its own would say',
      publicClient('{ claim: team }'),
      /idJag\.publicClients\[0\]: is a public client whose team/,
    ],
  ])('is said: %s', async (_, yaml, warning) => {
    const { loaded } = await load(yaml);
    expect(loaded.warnings.map(({ line, path, reason }) => `${line} ${path}: ${reason}`)).toEqual([
      expect.stringMatching(warning),
    ]);
  });

  it.each([
    ['two entries that each require a claim', shared('require: { azp: [agents] }')],
    ['an issuer of one company', SOUND],
    ['a public client of an issuer whose workloads are of one team', publicClient('{ value: sre }')],
  ])('is not said of %s', async (_, yaml) => {
    expect((await load(yaml)).loaded.warnings).toEqual([]);
  });

  it.each([
    [
      'repository: [acme*]',
      'repository[0]: the pattern has a "*" beside other characters: "*" stands for one whole segment, "**" at the end for one or more',
    ],
    ["repository: ['**/site']", 'repository[0]: the pattern has "**" before its end'],
    ['repository: []', 'repository: Too small: expected array to have >=1 items'],
  ])('is a mistake: require %s', async (claim, problem) => {
    expect(await problems(shared(`require: { ${claim} }`))).toEqual([`8 trust[0].require.${problem}`]);
  });
});

describe('YAML', () => {
  it.each([
    ['a repeated key', `${SOUND}issuer: https://other.example\n`, '12 : Map keys must be unique'],
    ['a tag', SOUND.replace('resource: ', 'resource: !env '), '9 : Unresolved tag: !env'],
    ['binary', SOUND.replace('resource: ', 'resource: !!binary '), '9 : Unresolved tag: tag:yaml.org,2002:binary'],
    [
      'a second document',
      `${SOUND}---\nissuer: x\n`,
      '12 : Source contains multiple documents; please use YAML.parseAllDocuments()',
    ],
    [
      'broken syntax',
      'issuer: [\n',
      '2 : Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ])('is refused with %s', async (_, yaml, problem) => {
    expect(await problems(yaml)).toContain(problem);
  });

  it('cannot make a large value of a small file', async () => {
    const bomb = [
      'a: &a [x, x]',
      ...'bcdefgh'.split('').map((key, i) => `${key}: &${key} [${Array(9).fill(`*${'abcdefg'[i]}`).join(', ')}]`),
    ];
    expect(await problems(bomb.join('\n'))).toEqual([
      '1 : Excessive alias count indicates a resource exhaustion attack',
    ]);
  });
});
