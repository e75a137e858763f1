import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Identify } from '../../../src/identity/identify.js';
import fc from 'fast-check';
import { trustSchema } from '../../../src/config/trust-schema.js';
import { hangsOn } from '../../../src/domain/hangs-on.js';
import { joined, separated } from '../../../src/identity/lasting-id.js';
import { canHitSomebody } from '../../../src/identity/party-from-id.js';
import { createDoorstep } from '../../support/issuers/identity.js';
import { BROKER, createIssuer, type TestIssuer } from '../../support/issuers/issuer.js';

const door = createDoorstep();
let lab: TestIssuer;
let idp: TestIssuer;
let identify: Identify;

const asSubject = (token: string) => identify(token, { use: 'subject' });

beforeAll(async () => {
  lab = await createIssuer({ clock: door.clock, algorithms: ['ES256', 'RS256', 'EdDSA'] });
  idp = await createIssuer({ clock: door.clock, url: 'https://idp.example/' });
  identify = door.identify([
    {
      kind: 'oidc',
      name: 'lab',
      issuer: lab.url,
      jwks: { file: door.file('lab.json', lab.jwks()) },
      owner: { claim: 'team' },
      claims: ['ref', 'repository_id', 'fork', '/kubernetes.io/namespace', 'list', '/a~1b/c~0d', 'absent'],
    },
    {
      kind: 'oidc',
      name: 'people',
      issuer: idp.url,
      jwks: { file: door.file('idp.json', idp.jwks()) },
      represents: 'person',
      groups: { claim: 'groups' },
    },
    {
      kind: 'oidc',
      name: 'lab-admin',
      issuer: lab.url,
      audiences: ['urn:admin'],
      jwks: { file: 'lab.json' },
      owner: { value: 'platform' },
    },
  ]);
});
afterAll(() => door.remove());

describe('a workload of an OIDC issuer', () => {
  it('is <trust name>:<sub>, with owner, tags and the times of its token', async () => {
    const token = await lab.token({
      sub: 'repo:acme/tickets:ref:refs/heads/main',
      team: 'sre',
      ref: 'refs/heads/main',
      repository_id: 4711,
      fork: false,
      'kubernetes.io': { namespace: 'agents' },
      'a/b': { 'c~d': 'deep' },
      list: ['a', 'list'],
    });
    const now = door.clock.now();
    expect(await asSubject(token)).toEqual({
      party: {
        kind: 'workload',
        id: 'lab:repo:acme/tickets:ref:refs/heads/main',
        issuer: 'lab',
        owner: 'sre',
        claims: {
          ref: 'refs/heads/main',
          repository_id: '4711',
          fork: 'false',
          '/kubernetes.io/namespace': 'agents',
          '/a~1b/c~0d': 'deep',
          list: ['a', 'list'],
        },
        groups: [],
      },
      proofHash: createHash('sha256').update(token).digest('base64url'),
      audience: BROKER,
      issuedAt: now,
      expiresAt: now + 300_000,
    });
  });

  it('without the claim that names its owner is refused: it would slip from under a hold on that team', async () => {
    await expect(asSubject(await lab.token())).rejects.toMatchObject({
      code: 'invalid_request',
      message: 'The subject token must have an owning team.',
    });
  });

  it.each(['ES256', 'RS256', 'EdDSA'])('may be vouched for with %s', async (alg) => {
    await expect(asSubject(await lab.token({ alg, team: 'sre' }))).resolves.toBeDefined();
  });

  it.each([
    [undefined, 'Ed25519'],
    [['EdDSA'], 'Ed25519'],
    [['Ed25519'], 'EdDSA'],
  ])('may be vouched for, where the entry says algorithms: %j, with %s', async (algorithms, alg) => {
    const issuer = await createIssuer({ clock: door.clock, algorithms: [alg] });
    const jwks = { file: door.file(`${alg}.json`, issuer.jwks()) };
    const identifyEd = door.identify([{ kind: 'oidc', name: 'ed', issuer: issuer.url, jwks, algorithms }]);
    await expect(identifyEd(await issuer.token(), { use: 'subject' })).resolves.toBeDefined();
  });

  it('of one issuer under two trusts is distinguished by audience', async () => {
    const { party, audience } = await asSubject(await lab.token({ aud: ['urn:admin'] }));
    expect(audience).toBe('urn:admin');
    expect(party).toMatchObject({ id: 'lab-admin:agent-1', issuer: 'lab-admin', owner: 'platform' });
  });

  it('may be addressed to the token endpoint by an entry that says so, in whatever place it stands', async () => {
    const aud = `${BROKER}/token`;
    const jwks = { file: door.file('lab.json', lab.jwks()) };
    const byUrl = door.identify([{ kind: 'oidc', name: 'lab', issuer: lab.url, jwks, audiences: [aud] }]);
    for (const use of ['subject', 'client', 'bearer'] as const)
      expect((await byUrl(await lab.token({ aud }), { use })).party.id).toBe('lab:agent-1');
    await expect(byUrl(await lab.token({ aud: BROKER }), { use: 'client' })).rejects.toThrow('must have exactly');
  });

  it('must say when it was issued: a cutoff could not distinguish it from a fresh one', async () => {
    const silent = await lab.token({ team: 'sre', iat: undefined });
    await expect(asSubject(silent)).rejects.toThrow('The subject token must say when it was issued (iat).');
  });

  it('carries no number that is not exact, and says that there was one', async () => {
    const { party } = await asSubject(await lab.token({ team: 'sre', repository_id: 2 ** 53 + 2 }));
    expect(party).toMatchObject({ claims: {}, unread: ['repository_id'] });
  });

  it('cannot be altered by whoever was handed the proof', async () => {
    const { party } = await asSubject(await lab.token({ team: 'sre' }));
    expect(() => Object.assign(party, { id: 'lab:somebody-else' })).toThrow(TypeError);
  });
});

describe('the run of a workload', () => {
  const entry = (run: unknown) =>
    door.identify([
      { kind: 'oidc', name: 'lab', issuer: lab.url, jwks: { file: door.file('lab.json', lab.jwks()) }, run },
    ] as Parameters<typeof door.identify>[0]);
  const runOf = async (run: unknown, claims: Record<string, unknown>) =>
    (await entry(run)(await lab.token(claims), { use: 'subject' })).party.run;

  it.each<[unknown, Record<string, unknown>, string | undefined]>([
    ['run_id', { run_id: '8675309' }, '8675309'],
    ['build_number', { build_number: 17 }, '17'],
    ['/kubernetes.io/pod/uid', { 'kubernetes.io': { pod: { uid: '5e0bd49b' } } }, '5e0bd49b'],
    [{ claim: 'run_id', ifAbsent: 'none' }, {}, undefined],
    [undefined, { run_id: '8675309' }, undefined],
    [undefined, { run: 'r', task: 't' }, 'r'],
    [undefined, { task: 17 }, '17'],
    [false, { run: 'r', task: { id: 't' } }, undefined],
    ['run_id', { run_id: 'a', run: 'r', task: ['t'] }, 'a'],
    [['run_id', 'run_attempt'], { run_id: '4711', run_attempt: 2 }, '4711:2'],
    [['a', 'b'], { a: 'x:y', b: 'z' }, 'x%3Ay:z'],
    [{ claim: ['a', 'b'], ifAbsent: 'none' }, {}, undefined],
  ])('is what the claim %j says', async (run, claims, expected) => {
    expect(await runOf(run, claims)).toBe(expected);
  });

  it.each<[unknown, unknown, string]>([
    ['run_id', undefined, 'must have a claim run_id for its run.'],
    ['run_id', '', 'has a claim run_id for its run that is empty.'],
    ['run_id', ['1', '2'], 'has a claim run_id for its run that is not a text.'],
    ['run_id', true, 'has a claim run_id for its run that is not a text.'],
    ['run_id', null, 'has a claim run_id for its run that is not a text.'],
    ['run_id', 2 ** 53 + 2, 'has a claim run_id for its run that is not a text.'],
    ['run_id', 'a\nb', 'has a claim run_id for its run that has a character other than'],
    [{ claim: 'run_id', ifAbsent: 'none' }, {}, 'has a claim run_id for its run that is not a text.'],
    [{ claim: 'run_id', ifAbsent: 'none' }, '', 'has a claim run_id for its run that is empty.'],
    [{ claim: ['run_id', 'run_attempt'], ifAbsent: 'none' }, '1', 'must have a claim run_attempt for its run.'],
    [['run_id', 'run_id'], 'x'.repeat(200), 'has a run made of trust[].run that is longer'],
  ])('by %j is not guessed from %j', async (run, value, sentence) => {
    await expect(runOf(run, { run_id: value })).rejects.toThrow(`The subject token ${sentence}`);
  });
});

describe('a person', () => {
  it('has groups and no owner', async () => {
    const { party } = await asSubject(await idp.token({ sub: 'ada', groups: ['sre', 7, 'a\u202eb', 'oncall'] }));
    expect(party).toEqual({
      kind: 'person',
      id: 'people:ada',
      issuer: 'people',
      claims: {},
      unread: ['groups'],
      groups: ['sre', '7', 'oncall'],
    });
  });

  it.each([
    [{}, 'must say the groups of the person in groups'],
    [{ groups: null }, 'does not say all groups of the person in groups'],
    [{ groups: ['sre', {}] }, 'does not say all groups of the person in groups'],
    [{ _claim_names: { groups: 'src1' } }, 'does not say all groups of the person in groups'],
    [{ hasgroups: true }, 'does not say all groups of the person in groups'],
  ])('whose token says %j is refused: a forbid on a group that it leaves out would not hold', async (claims, why) => {
    const asked = idp.token({ groups: undefined, ...claims }).then(asSubject);
    await expect(asked).rejects.toThrow(`The subject token ${why}.`);
  });

  it.each([
    [{}, { groups: [] }],
    [{ groups: ['sre', {}] }, { groups: ['sre'], unread: ['groups'] }],
    [{ _claim_names: { groups: 'src1' } }, { groups: [], unread: ['groups'] }],
  ])('whose token says %j is taken where the entry says so, and policy can ask', async (claims, known) => {
    const groups = { claim: 'groups', ifAbsent: 'none', ifIncomplete: 'keep' };
    const trust = {
      kind: 'oidc',
      name: 'people',
      issuer: idp.url,
      jwks: { file: 'idp.json' },
      represents: 'person',
      groups,
    };
    const asked = door.identify([trust])(await idp.token({ groups: undefined, ...claims }), { use: 'subject' });
    await expect(asked).resolves.toMatchObject({ party: known });
  });

  it.each([[['ada@staff.example']], [null], [7]])(
    'whose address is %j is refused: a hold by address would not reach them',
    async (address) => {
      const trust = { kind: 'oidc', name: 'mail', issuer: idp.url, jwks: { file: 'idp.json' }, claims: ['email'] };
      const asked = door.identify([trust])(await idp.token({ email: address }), { use: 'subject' });
      await expect(asked).rejects.toThrow('has an e-mail address that is not a text');
    },
  );

  it.each(['at+jwt', 'application/at+jwt', 'AT+JWT', 'JWT', 'jose'])('may show a token of type %s', async (typ) => {
    await expect(asSubject(await idp.token({ groups: [], header: { typ } }))).resolves.toBeDefined();
  });
});

describe('tokens in the wild', () => {
  it('of the shape GitHub Actions issues are taken', async () => {
    const token = await lab.token({
      alg: 'RS256',
      header: { x5t: 'ykNaY4qM_ta4k2TgZOCEYLkcYlA' },
      sub: 'repo:acme/tickets:environment:production',
      aud: BROKER,
      ref: 'refs/heads/main',
      repository: 'acme/tickets',
      repository_id: '74',
      runner_environment: 'github-hosted',
      team: 'sre',
      nbf: door.clock.now() / 1000 - 300,
      jti: 'example-id',
    });
    expect((await asSubject(token)).party.claims).toEqual({ ref: 'refs/heads/main', repository_id: '74' });
  });

  it('of the shape Kubernetes projects are taken: no typ, the audience in a list of one', async () => {
    const token = await lab.token({
      alg: 'RS256',
      header: { typ: undefined },
      sub: 'system:serviceaccount:agents:summariser',
      aud: [BROKER],
      team: 'sre',
      'kubernetes.io': { namespace: 'agents', serviceaccount: { name: 'summariser', uid: 'b1' } },
    });
    expect((await asSubject(token)).party).toMatchObject({
      id: 'lab:system:serviceaccount:agents:summariser',
      claims: { '/kubernetes.io/namespace': 'agents' },
    });
  });
});

describe('the id of a workload that outlasts its runs', () => {
  const identified = async (workload: string[], claims: object) => {
    const trust = { kind: 'oidc', name: 'ci', issuer: lab.url, jwks: { file: 'lab.json' }, workload };
    const { party } = await door.identify([trust])(await lab.token({ ...claims }), { use: 'subject' });
    // Whatever the door takes, a revocation can name.
    const named = hangsOn({ id: '', target: '' }, { id: '', lineage: [], workload: party });
    const parties = named.filter(({ kind }) => ['workload', 'subject', 'principal'].includes(kind));
    expect(parties.filter((selector) => !canHitSomebody([trustSchema.parse(trust)], selector))).toEqual([]);
    return party;
  };
  const SUB = 'repo:acme/site:ref:refs/heads/main';

  it.each([
    [['repository_id'], { repository_id: '74' }, 'ci:74'],
    [['repository'], { repository: 'acme:site%' }, 'ci:acme:site%'],
    [['repository', '/job/workflow'], { repository: 'acme/site', job: { workflow: 'deploy' } }, 'ci:acme/site:deploy'],
    [['repository', 'ref'], { repository: 'a:b%3A', ref: 'c' }, 'ci:a%3Ab%253A:c'],
  ])('is made of %j', async (workload, claims, id) => {
    const first = await identified(workload, { ...claims, sub: SUB });
    expect(first).toMatchObject({ id, subject: `ci:${SUB}` });
    const long = `repo:acme/site:ref:refs/heads/${'x'.repeat(1_800)}`;
    expect(await identified(workload, { ...claims, sub: long })).toEqual({ ...first, subject: `ci:${long}` });
  });

  it.each([
    [
      'has other letters than ASCII',
      'repo:acme/site:ref:refs/heads/grün',
      'BwwTFE_3mJI9ZiCQekG3JXzO96sREmCkyXzyL_XuUJo',
    ],
    ['is too long', 'x'.repeat(2_046), ''],
    ['has two spaces', 'a  b', ''],
    ['has a token in it', `run ${['eyJhbGciOiJFUzI1NiJ9', 'eyJzdWIiOiJ4In0', 'c2ln'].join('.')}`, ''],
    ['reads like the digest of another', `sha256:${'A'.repeat(43)}`, ''],
  ])('keeps a run apart whose sub %s: it is called by its digest', async (_, sub, known) => {
    const { id, subject } = await identified(['repository'], { repository: 'acme/site', sub });
    expect(id).toBe('ci:acme/site');
    expect(subject).toBe(`ci:sha256:${createHash('sha256').update(sub).digest('base64url')}`);
    if (known !== '') expect(subject).toBe(`ci:sha256:${known}`);
  });

  it('is sub alone unless the entry says otherwise, and then there is no other subject', async () => {
    expect(await identified(['sub'], { sub: SUB })).not.toHaveProperty('subject');
  });

  it.each<[string, object]>([
    ['must have a claim ref for its id', { ref: undefined }],
    ['has a claim ref for its id that is not a text', { ref: 7 }],
    ['has a claim ref for its id that is not a text', { ref: ['main'] }],
    ['has a claim ref for its id that is empty', { ref: '' }],
    ['has a claim ref for its id that has a space at its beginning or end, or two in a row', { ref: ' main' }],
    ['has an id made of trust[].workload that is longer than 255 characters', { ref: 'x'.repeat(250) }],
    ['must have a subject', { sub: undefined }],
    ['has a subject that is not a text', { sub: 7 }],
    ['has a subject that is empty or not Unicode', { sub: '' }],
    ['has a subject that is empty or not Unicode', { sub: 'repo:\ud800' }],
    ['names a SPIFFE ID, which its issuer cannot vouch for', { repository: 'spiffe', ref: '//prod.example/agent' }],
  ])('is refused: %s', async (why, claims) => {
    const asked = identified(['repository', 'ref'], { repository: 'acme/site', ref: 'main', sub: SUB, ...claims });
    await expect(asked).rejects.toThrow(`The subject token ${why}.`);
  });

  it('is never that of other values, and is what its entry could prove', () => {
    const value = fc.string({
      unit: fc.constantFrom('a', ':', '%', '%3A', '%25', '3A', '/'),
      minLength: 1,
      maxLength: 6,
    });
    const list = fc.array(value, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(list, list, (one, other) => {
        expect(separated(joined(one), one.length)).toEqual(one);
        if (one.length === other.length)
          expect(joined(one) === joined(other)).toBe(one.join('\n') === other.join('\n'));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a second issuer of the same parties', () => {
  const CLUSTER = 'https://next.lab.example';
  const both = (also: object[]) =>
    door.identify([{ kind: 'oidc', name: 'lab', issuer: lab.url, jwks: { file: 'lab.json' }, also }]);

  it('names them by the same ids, with keys of its own', async () => {
    const next = await createIssuer({ clock: door.clock, url: CLUSTER });
    const identifyBoth = both([{ issuer: CLUSTER, jwks: { file: door.file('next.json', next.jwks()) } }]);
    const [before, after] = await Promise.all(
      [lab, next].map(async (one) => identifyBoth(await one.token({ sub: 'agent-7' }), { use: 'subject' })),
    );
    expect(after?.party).toEqual(before?.party);
    // The keys of one do not vouch for the other: who runs one of them could otherwise sign for both.
    const crossed = [await lab.token({ iss: CLUSTER }), await next.token({ iss: lab.url })];
    for (const token of crossed)
      await expect(identifyBoth(token, { use: 'subject' })).rejects.toThrow('is not signed by a key of its issuer');
  });

  it('is nobody unless it is named', async () => {
    await expect(both([])(await lab.token({ iss: CLUSTER }), { use: 'subject' })).rejects.toThrow('no issuer');
  });
});

describe('an access token', () => {
  it.each([
    ['workload', undefined, false],
    ['workload', true, true],
    ['workload', false, false],
    ['person', undefined, true],
    ['person', false, false],
  ])('of a %s, where the entry says accessTokens: %s, is taken: %s', async (represents, accessTokens, taken) => {
    const trust = { kind: 'oidc', name: 'api', issuer: lab.url, jwks: { file: 'lab.json' }, represents };
    const identifyApi = door.identify([accessTokens === undefined ? trust : { ...trust, accessTokens }]);
    const tokenType = 'urn:ietf:params:oauth:token-type:access_token';
    const asked = identifyApi(await lab.token({ header: { typ: 'at+jwt' } }), { use: 'subject', tokenType });
    if (taken) await expect(asked).resolves.toMatchObject({ party: { id: 'api:agent-1' } });
    else await expect(asked).rejects.toThrow('is of a type that is not taken');
  });
});

describe('what a token must say', () => {
  const require = {
    repository: ['acme/*', 'octo/site'],
    '/metadata/tenant': ['t1'],
    verified: [true, 7],
    sub: ['repo:acme/**', 'agent-7'],
    roles: ['agent'],
    url: ['https://ci.example/**'],
  };
  const claims = {
    repository: 'acme/site',
    metadata: { tenant: 't1' },
    verified: true,
    sub: 'repo:acme/site:ref:refs/heads/main',
    roles: ['reader', 'agent'],
    url: 'https://ci.example/acme/7',
  };
  const present = async (changed: object) => {
    const trust = { kind: 'oidc', name: 'strict', issuer: lab.url, jwks: { file: 'lab.json' }, require };
    const identifyStrict = door.identify([trust]);
    return identifyStrict(await lab.token({ ...claims, ...changed }), { use: 'subject' });
  };

  it.each([
    {},
    { repository: 'octo/site' },
    { verified: 'true' },
    { verified: 7 },
    { sub: 'agent-7' },
    { roles: 'agent' },
    { url: 'https://ci.example/a' },
  ])('is said: %j', async (changed) => {
    await expect(present(changed)).resolves.toMatchObject({ party: { issuer: 'strict' } });
  });

  it.each([
    ['repository', { repository: undefined }],
    ['repository', { repository: 'evil/site' }],
    ['repository', { repository: 'acme' }],
    ['repository', { repository: 'acme/' }],
    ['repository', { repository: 'acme/site/more' }],
    ['repository', { repository: 'Acme/site' }],
    ['repository', { repository: 'acme/**' }],
    ['repository', { repository: '**' }],
    ['repository', { repository: { toString: 'acme/site' } }],
    ['repository', { repository: [] }],
    ['repository', { repository: [['acme/site']] }],
    ['/metadata/tenant', { metadata: 't1' }],
    ['/metadata/tenant', { metadata: null }],
    ['verified', { verified: false }],
    ['verified', { verified: 7.5 }],
    ['verified', { verified: null }],
    ['sub', { sub: 'agent-77' }],
    ['sub', { sub: 'repo:acme' }],
    ['roles', { roles: ['reader'] }],
    ['url', { url: 'https://ci.example//' }],
    ['url', { url: 'https:/ci.example/a' }],
  ])('and if %s does not, as in %j, it is refused, and none of the values is told', async (claim, changed) => {
    await expect(present(changed)).rejects.toMatchObject({
      code: 'invalid_request',
      message: `The subject token must have a claim ${claim} with a value that is accepted here.`,
    });
  });
});

describe('a refusal', () => {
  it.each([
    ['subject', 'invalid_request', 'The subject token has expired.'],
    ['actor', 'invalid_request', 'The actor token has expired.'],
    ['client', 'invalid_client', 'The client assertion has expired.'],
    ['bearer', 'invalid_token', 'The bearer token has expired.'],
  ] as const)('of a %s carries %s', async (use, code, message) => {
    const token = await lab.token({ team: 'sre', expiresInSeconds: -5 });
    await expect(identify(token, { use })).rejects.toMatchObject({ name: 'BrokerError', code, message });
  });

  it.each([
    ['id_token', 'workload', true],
    ['jwt', 'workload', true],
    ['access_token', 'workload', false],
    ['access_token', 'person', true],
    ['jwt', 'person', true],
    ['refresh_token', 'person', false],
    ['saml2', 'workload', false],
  ])('declared as %s, the token of a %s: taken is %s', async (type, who, taken) => {
    const token = await (who === 'person' ? idp.token({ groups: [] }) : lab.token({ team: 'sre' }));
    const tokenType = `urn:ietf:params:oauth:token-type:${type}`;
    const asked = identify(token, { use: 'subject', tokenType });
    if (taken) await expect(asked).resolves.toBeDefined();
    else
      await expect(asked).rejects.toThrow(
        'The subject token is not of the declared token type; urn:ietf:params:oauth:token-type:jwt fits.',
      );
  });

  it('follows when an access token is declared an ID token', async () => {
    const token = await idp.token({ groups: [], header: { typ: 'at+jwt' } });
    const tokenType = 'urn:ietf:params:oauth:token-type:id_token';
    await expect(identify(token, { use: 'subject', tokenType })).rejects.toThrow('declared token type');
  });
});
