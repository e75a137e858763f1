/** `mayfly doctor`: everything that would fail the first caller is said before, with an exit code. */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { stringify } from 'yaml';
import { run } from '../../../src/cli/run.js';
import { systemClock } from '../../../src/domain/time.js';
import { realClock } from '../../support/clock.js';
import { temporaryDirectory } from '../../support/directory.js';
import { freePort } from '../../../scripts/free-port.js';
import { createIssuer } from '../../support/issuers/issuer.js';
import { serveIssuer } from '../../support/issuers/site.js';
import { json, serve } from '../../support/policy-engines/decision-point.js';
import { writePolicies } from '../../support/policy.js';
import { startRedis } from '../../support/redis.js';

async function doctor(store: unknown, over: Record<string, unknown> = {}) {
  const directory = temporaryDirectory();
  const lab = await createIssuer({ clock: realClock });
  writeFileSync(join(directory, 'lab.json'), JSON.stringify(lab.jwks()));
  const file = join(directory, 'mayfly.yaml');
  const settings = {
    issuer: 'http://127.0.0.1:8080',
    store,
    trust: [{ name: 'lab', kind: 'oidc', issuer: lab.url, jwks: { file: './lab.json' }, owner: { claim: 'team' } }],
    targets: [{ resource: 'https://tickets.example', minter: 'jwt' }],
    policy: { engine: 'cedar', directory: resolve('config/policies') },
    ...over,
  };
  writeFileSync(file, stringify(settings));
  const [out, err]: [string[], string[]] = [[], []];
  const terminal = { out: (text: string) => void out.push(text), err: (text: string) => void err.push(text), clock: systemClock }; // prettier-ignore
  return { code: await run(['doctor', file], terminal), out, err, directory };
}

const failed = (out: readonly string[]) => out.filter((line) => line.startsWith('wrong'));

describe('mayfly doctor', () => {
  it('finds a durable Redis sound, names what has not been tried, and exits with 0', async () => {
    const { url } = await startRedis({ appendonly: 'yes', appendfsync: 'always' });
    const { code, out } = await doctor(url);
    expect({ code, out }).toEqual({
      code: 0,
      out: [
        ...['store', 'clock', 'space', 'write', 'rights', 'failover'].map((name) => `ok    ${name}`),
        'note  keys: none yet; the first start makes them',
        'note  target https://tickets.example: it can be tried once a broker has made its signing keys',
        'ok    policy',
        'note  approvals: trust has no entry that represents persons: nobody can answer what policies ask',
        'ok    issuer lab',
      ],
    });
  });

  it('says why the store cannot be reached, and goes on to the rest', async () => {
    const port = await freePort();
    const { code, out, err } = await doctor(`redis://127.0.0.1:${port}`);
    expect(code).toBe(1);
    expect(failed(out)).toEqual([
      `wrong store: Redis at 127.0.0.1:${port} (without TLS, without a password): nothing listens there`,
    ]);
    expect(out).toContain('ok    issuer lab');
    expect(err).toEqual(['1 of 4 checks failed.']);
  });

  it('says which rights are missing', async () => {
    const server = await startRedis();
    await server.send('ACL', 'SETUSER', 'default', '-hscan');
    const { code, out } = await doctor(server.url);
    expect(code).toBe(1);
    expect(failed(out)).toEqual([expect.stringContaining('rights: a broker must be able to list its tombstones')]);
  });

  it('notes what costs something in a failure, and still exits with 0', async () => {
    const { url } = await startRedis({ appendonly: 'yes', appendfsync: 'everysec' });
    const { code, out } = await doctor(url);
    expect(code).toBe(0);
    expect(out).toContainEqual(expect.stringMatching(/^note {2}failover: with appendfsync everysec/));
  });

  it('says what evicts, and what persists nothing', async () => {
    const server = await startRedis();
    await server.send('CONFIG', 'SET', 'save', '');
    expect(failed((await doctor(server.url)).out)).toEqual([expect.stringContaining('Redis persists nothing')]);
    await server.send('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    expect(failed((await doctor(server.url)).out)).toEqual([expect.stringContaining('noeviction')]);
  });

  it.each<[string, object, string]>([
    ['sound, where it names its policies', { allow: false, digest: 'v1' }, 'ok    policy'],
    ['worth a note where it names none', { allow: false }, 'note  policy: URL/v1/data/x does not say which policies it decides by: the digest of decisions stays when they change'],
    ['worth a note where it permits what nobody may', { allow: true, digest: 'v1' }, 'note  policy: URL/v1/data/x lets a workload read revocations that does not exist: does it permit everything?'],
    ['wrong where its answer is none', { allow: 'yes' }, 'wrong policy: The policy engine answered with something other than docs/policy.md describes'],
  ])('finds a policy engine elsewhere %s', async (_, result, line) => {
    const { url } = await serve((_request, response) => json(response, { result }));
    const { out } = await doctor((await startRedis()).url, { policy: { engine: 'opa', url, path: 'x' } });
    expect(out.map((one) => one.replace(url, 'URL'))).toContain(line);
  }); // prettier-ignore

  describe('where policies ask people', () => {
    const entry = { kind: 'oidc', jwks: { file: './lab.json' } };
    const lab = { ...entry, name: 'lab', issuer: 'https://lab.example', owner: { claim: 'team' } };
    const staff = { ...entry, name: 'staff', issuer: 'https://staff.example', represents: 'person' };
    const groups = { claim: 'groups' };
    const anyClient = 'approvals.clients names none: an agent that holds a token of a person can answer with it';
    const noGroups =
      'trust[1].groups is not there: its persons are in no group, and a team could agree alone to what its own agent asks';
    const withPage = {
      trust: [lab, { ...staff, groups, audiences: ['page'] }],
      approvals: { page: { trust: 'staff', clientId: 'page' } },
    };

    const withEmail = { ...staff, groups, claims: ['email'] };
    const guests = { ...staff, groups, name: 'guests', issuer: 'https://guests.example' };
    const noEmail =
      'trust[2].claims has no email: somebody of two entries is two persons, who could agree to what they ask themselves';

    const told = (...types: string[]) => [{ name: 'chat', url: 'https://chat.example/hook', types }];
    const ofStaff = { trust: [lab, { ...staff, groups }], approvals: { clients: ['cli'] } };
    const unheard = 'notify has no webhook with the type approval: people hear of no question unless they look';

    it.each<[string, Record<string, unknown>, string]>([
      ['there is no webhook', { ...ofStaff, notify: [] }, `note  approvals: ${unheard}`],
      ['no webhook has questions', { ...ofStaff, notify: [...told('revocation', 'approval.emergency'), { name: 'siem', url: 'https://siem.example' }] }, `note  approvals: ${unheard}`],
      ['one has them', { ...ofStaff, notify: [...told('revocation'), { ...told('approval.requested')[0], name: 'pager' }] }, 'ok    approvals'],
      ['any client may answer', { trust: [lab, { ...staff, groups }] }, `note  approvals: ${anyClient}`],
      ['persons have no groups', { trust: [lab, staff], approvals: { clients: ['cli'] } }, `note  approvals: ${noGroups}`],
      ['both', { trust: [lab, staff] }, `note  approvals: ${anyClient}; ${noGroups}`],
      ['a client is named', { trust: [lab, { ...staff, groups }], approvals: { clients: ['cli'] } }, 'ok    approvals'],
      ['there is the page', withPage, 'ok    approvals'],
      ['one may be two persons', { trust: [lab, withEmail, guests], approvals: { clients: ['cli'] } }, `note  approvals: ${noEmail}`],
      ['all have an address', { trust: [lab, withEmail, { ...guests, claims: ['email'] }], approvals: { clients: ['cli'] } }, 'ok    approvals'],
    ])('says that %s', async (_, over, line) => {
      const { code, out } = await doctor('lmdb:./data', { notify: told('approval'), ...over });
      expect(out).toContain(line);
      expect(code).toBe(0);
    }); // prettier-ignore

    it('says nothing of it where they ask nobody', async () => {
      const directory = writePolicies({
        'a.cedar': '@id("a") permit (principal, action == Action::"read", resource);',
      });
      const { out } = await doctor('lmdb:./data', { policy: { engine: 'cedar', directory }, trust: [lab, staff] });
      expect(out.join()).toContain('ok    policy');
      expect(out.join()).not.toContain('approvals');
    });
  });

  it('says which issuer has no keys', async () => {
    const port = await freePort();
    const trust = [
      {
        name: 'lab',
        kind: 'oidc',
        issuer: 'https://lab.example',
        jwks: { file: './lab.json' },
        owner: { claim: 'team' },
      },
      { name: 'far', kind: 'oidc', issuer: 'https://far.example', jwks: { url: `http://127.0.0.1:${port}/jwks` } },
    ];
    const { code, out } = await doctor('lmdb:./data', { trust });
    expect(code).toBe(1);
    expect(failed(out)).toEqual([
      `wrong issuer far: The keys of the token's issuer cannot be read now: no answer from http://127.0.0.1:${port}/jwks: The connection failed: ECONNREFUSED`,
    ]);
  });

  it('notes a bundle file that nobody writes any more', async () => {
    const file = join(temporaryDirectory(), 'prod.json');
    const key = { kty: 'EC', crv: 'P-256', x: 'x', y: 'y', use: 'jwt-svid', kid: '1' };
    writeFileSync(file, JSON.stringify({ keys: [key] }));
    utimesSync(file, 1_700_000_000, 1_700_000_000);
    const trust = [{ name: 'prod', kind: 'spiffe', trustDomain: 'prod.example', bundle: { file } }];
    const { out } = await doctor((await startRedis()).url, { trust });
    expect(out).toContain(
      'note  issuer prod: the file was last written at 2023-11-14T22:13:20.000Z: newer keys are unknown here',
    );
  });

  it('says which issuer names itself otherwise than the configuration', async () => {
    const site = await serveIssuer({ clock: realClock });
    site.metadata = { issuer: `${site.url}/` };
    const { code, out } = await doctor('lmdb:./data', { trust: [{ name: 'far', kind: 'oidc', issuer: site.url }] });
    await site.close();
    expect(code).toBe(1);
    expect(failed(out)).toContainEqual(
      expect.stringContaining(`names the issuer '${site.url}/', and the configuration names '${site.url}'`),
    );
  });

  it('makes no store and no key where there is none', async () => {
    const { code, out, directory } = await doctor('lmdb:./data');
    expect(code).toBe(0);
    expect(out[0]).toContain('the first start makes it');
    expect(() => readFileSync(join(directory, 'data', 'data.mdb'))).toThrow('ENOENT');
  });
});
