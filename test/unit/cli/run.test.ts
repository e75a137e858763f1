import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createLocalJWKSet, decodeJwt, jwtVerify, type JSONWebKeySet } from 'jose';
import { run } from '../../../src/cli/run.js';
import { handClock } from '../../support/clock.js';

const clock = handClock();

async function mayfly(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await run(argv, { out: (text) => out.push(text), err: (text) => err.push(text), clock });
  return { code, out: out.join('\n'), err: err.join('\n') };
}

/** A copy of the development configuration, whose issuer has no keys yet. */
async function development(): Promise<{ file: string; keys: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'mayfly-cli-'));
  const yaml = await readFile('config/development.yaml', 'utf8');
  const file = join(directory, 'mayfly.yaml');
  await writeFile(
    file,
    yaml.replaceAll('../data', './data').replace('./policies', join(process.cwd(), 'config/policies')),
  );
  return { file, keys: join(directory, 'data/dev-issuer') };
}

describe('mayfly', () => {
  it('says what it can do', async () => {
    const { code, out } = await mayfly('--help');
    expect(code).toBe(0);
    for (const command of ['check-config', 'check-policy', 'dev-token']) expect(out).toContain(command);
  });

  it('says what an option is by default in the words that it takes', async () => {
    const { out } = await mayfly('policy', 'suggest', '--help');
    expect(out).toMatch(/--since <time> .*\(default: 7d\)/);
  });

  it('says its version', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(await mayfly('--version')).toMatchObject({ code: 0, out: version });
  });

  it('fails on what it does not know', async () => {
    expect(await mayfly('forge')).toMatchObject({ code: 1, err: "error: unknown command 'forge'" });
    expect((await mayfly('policy', 'diff')).err).toContain("required option '--against <directory>' not specified");
  });
});

/** Returns the packages that a file of src loads when it is loaded, by itself or by what it imports. */
function packagesOf(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const imports = readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)';/gm);
  const found = [...imports].flatMap(([, from = '']) => {
    if (from.startsWith('node:')) return [];
    return from.startsWith('.') ? packagesOf(join(dirname(file), from.replace(/\.js$/, '.ts')), seen) : [from];
  });
  return [...new Set(found)].sort();
}

describe('a command that stands before every call of an agent', () => {
  it.each(['main', 'exec', 'headers'])('starts at once: %s loads no more than it needs', (name) => {
    expect(packagesOf(`src/cli/${name}.ts`)).toEqual(['commander']);
  });
});

describe('mayfly headers', () => {
  it('prints no secret where people read it, and asks for none', async () => {
    const err: string[] = [];
    const argv = ['headers', '--broker', 'https://mayfly.example', '--token-file', '/nowhere', '--target', 'x'];
    const out = () => expect('printed').toBe('');
    const code = await run(argv, { out, err: (text) => err.push(text), isScreen: true, clock });
    expect([code, err]).toEqual([
      1,
      ['The headers have a secret, and are not printed to a terminal. Give them to a tool.'],
    ]);
  });
});

describe('a policy engine elsewhere', () => {
  it('has no policies that the commands about Cedar could read, and they say so', async () => {
    const { file } = await development();
    const yaml = await readFile(file, 'utf8');
    const engine = "policy: { engine: opa, url: 'http://127.0.0.1:8181', path: mayfly/answer }";
    await writeFile(file, yaml.replace(/^policy:.*(?:\n +.*)*/m, engine));
    const why =
      'The configuration has the policy engine opa, which keeps its own policies. Only policies of Cedar can be read here: name their directory.';
    expect(await mayfly('check-policy', '-c', file)).toMatchObject({ code: 1, err: expect.stringContaining(why) });
    expect(await mayfly('check-policy', 'config/policies', '-c', file)).toMatchObject({ code: 0 });
    const cases = 'examples/policies/write-approved/cases.yaml';
    expect((await mayfly('policy', 'test', cases, '-c', file)).err).not.toContain(why);
  });
});

describe('mayfly policy test', () => {
  const policies = `@id("sre-reads")
@lifetime("300")
permit (principal in Owner::"sre", action in Action::"read", resource in Resource::"https://tickets.example#incident");
@id("writes-wait")
@approval("oncall")
forbid (principal, action in Action::"write", resource)
unless { context.approvals.contains("oncall") };
@id("sre-writes")
permit (principal in Owner::"sre", action == Action::"write", resource in Target::"https://tickets.example");`;

  async function tried(cases: string, ...argv: string[]) {
    const directory = await mkdtemp(join(tmpdir(), 'mayfly-cases-'));
    const file = join(directory, 'cases.yaml');
    await writeFile(join(directory, 'a.cedar'), policies);
    await writeFile(file, cases);
    const { code, out, err } = await mayfly('policy', 'test', file, '-c', 'config/development.yaml', ...argv);
    return { code, out: out.replaceAll(file, 'cases.yaml').split('\n'), err };
  }

  const parties = "policies: .\nparties:\n  agent: { workload: 'lab:agent-1', owner: sre }\n";
  const one = (expected: string, more = '') =>
    `${parties}cases:\n  - name: one\n    principal: agent\n    action: read\n    resource: https://tickets.example#incident/1\n${more}    expect: ${expected}\n`;

  it('shows what is not as expected as a diff, with who decided, and fails', async () => {
    const two = one('{ outcome: deny, lifetimeSeconds: 300, policies: [sre-writes] }').replace(
      'cases:',
      `cases:
  - { name: a write waits, principal: agent, action: write, resource: 'https://tickets.example#a', expect: permit }
  - { name: others wait for nobody, principal: { workload: 'lab:x' }, action: read, resource: 'https://tickets.example#a', expect: { outcome: permit, approvals: [oncall] } }
  - { name: as it should be, principal: agent, action: write, resource: 'https://tickets.example#a', expect: { outcome: needs-approval, approvals: [oncall], policies: [writes-wait, sre-writes] } }`,
    );
    expect(await tried(two)).toEqual({
      code: 1,
      out: [
        'cases.yaml: 1 of 4 as expected',
        'cases.yaml:5: a write waits',
        '    - outcome: permit',
        '    + outcome: needs-approval',
        '      by sre-writes, writes-wait',
        'cases.yaml:6: others wait for nobody',
        '    - outcome: permit',
        '    + outcome: deny',
        '    - approvals: oncall',
        '    + approvals: none',
        '      by no permit: none applies',
        'cases.yaml:8: one',
        '    - outcome: deny',
        '    + outcome: permit',
        '    - policies: sre-writes',
        '    + policies: sre-reads',
        '      by sre-reads',
      ],
      err: '3 of 4 cases are not as expected.',
    });
  });

  it.each([
    ['an action', one('deny').replace('action: read', 'action: reed'), /:7: cases\[0\]\.action: .*Did you mean read\?/],
    [
      'a target',
      one('deny').replace('tickets', 'tickts'),
      /:8: .*resource: .*not configured; did you mean https:\/\/tickets/,
    ],
    [
      'a path',
      one('deny').replace('incident/1', 'incident//1'),
      /:8: .*resource: has a path that has an empty segment/,
    ],
    [
      'a key',
      one('deny', '    contxt: {}\n'),
      /:9: cases\[0\]\.contxt: is not a known setting\. Did you mean context\?/,
    ],
    [
      'a fact',
      one('deny', '    context: { rsk: LOW }\n'),
      /:9: .*context\.rsk: is not a known setting\. Did you mean risk\?/,
    ],
    ['a value', one('deny', '    context: { risk: low }\n'), /:9: .*context\.risk: /],
    ['a policy', one('{ outcome: permit, policies: [sre-read] }'), /:9: .*policies\[0\]: .*Did you mean sre-reads\?/],
    ['an outcome', one('allow'), /:9: cases\[0\]\.expect: /],
    ['a party', one('deny').replace('principal: agent', 'principal: agnet'), /:6: .*principal: .*Did you mean agent\?/],
    ['an id', one('deny').replace('lab:agent-1', 'lob:agent-1'), /:3: parties\.agent\.workload: is nobody/],
    [
      'a claim',
      one('deny').replace('owner: sre', 'claims: { tem: sre }'),
      /:3: .*claims\.tem: the tag "tem" is nowhere/,
    ],
    ['a task where a path belongs', one('deny').replace('https://tickets.example#incident/1', '{ workload: agent, purpose: x }'), /:8: .*<target>#<path>/], // prettier-ignore
    ['facts of another action', one('deny', '    context: { risk: LOW }\n').replace('action: read', 'action: introspect'), /:9: .*context\.risk: is not a known setting/], // prettier-ignore
    ['a kind of revocation', one('deny', '    context: { kind: tsk, value: x, effect: hold }\n').replace('action: read', 'action: revoke').replace(/ {4}resource.*\n/, ''), /:8: .*context\.kind: context\.kind is never "tsk"/], // prettier-ignore
    ['nothing in it', '', /:1: holds no cases/],
    ['the same twice', one('deny', '    action: read\n'), /:9: Map keys must be unique/],
  ])('a case with %s that does not exist is a mistake with its line', async (_, cases, mistake) => {
    const { code, out, err } = await tried(cases);
    expect({ code, err }).toEqual({ code: 1, err: '1 of 1 files cannot be tried; see above.' });
    expect(out.join('\n')).toMatch(mistake);
  });

  it('says each mistake of a file on a line of its own', async () => {
    const { out } = await tried(one('{ outcome: deny, policies: [a, b] }'));
    expect(out).toEqual([
      expect.stringMatching(/:9: cases\[0\]\.expect\.policies\[0\]: is the @id of no policy/),
      expect.stringMatching(/:9: cases\[0\]\.expect\.policies\[1\]: is the @id of no policy/),
    ]);
  });

  it('tries other policies where the command line names them', async () => {
    const { out } = await tried(one('permit'), '-p', 'config/policies');
    expect(out[0]).toBe('cases.yaml: 1 of 1 as expected');
  });
});

describe('mayfly dev-token', () => {
  it.each([
    [['--sub', 'agent-7 '], /--sub .*A broker refuses it: it has a space at its beginning or end/],
    [['--sub', 'agent-7', '--team', 's\u0433e'], /--team .*A broker refuses it: it has a character other than/],
    [['--person', 'dana', '--group', 'on\u0441all'], /--group .*A broker refuses it: it has a character other than/],
    [[], /Say --sub <name> for a workload, or --person <name>/],
    [['--sub', 'agent-7', '--group', 'oncall'], /--group is for --person/],
    [['--sub', 'agent-7', '--person', 'dana'], /'--person <name>' cannot be used with option '--sub <name>'/],
    [['--person', 'dana', '--team', 'sre'], /'--person <name>' cannot be used with option '--team <name>'/],
  ])('refuses %j: nobody could use the token', async (argv, why) => {
    expect(await mayfly('dev-token', ...argv)).toMatchObject({ code: 1, out: '', err: expect.stringMatching(why) });
  });
});

describe('mayfly check-config', () => {
  it('says what a sound configuration would start', async () => {
    const { code, out } = await mayfly('check-config', '--elsewhere', 'config/providers/kubernetes/mayfly.yaml');
    expect(code).toBe(0);
    expect(out).toMatch(/mayfly\.yaml: sound\n.*https:\/\/mayfly\.example\n.*redis\n.*cluster \(oidc\)/s);
  });

  it('warns where a sound configuration lets in more than is meant', async () => {
    const { file } = await development();
    const yaml = await readFile(file, 'utf8');
    await writeFile(file, yaml.replace(/issuer: \S+\n(?= +jwks)/, 'issuer: https://gitlab.com\n'));
    const { code, out } = await mayfly('check-config', '--elsewhere', file);
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining(`\nwarning: ${file}:`) });
  });

  it('says every mistake with file and line, and fails', async () => {
    const { file } = await development();
    const yaml = await readFile(file, 'utf8');
    await writeFile(file, yaml.replaceAll('kind: oidc', 'kind: oidcc').replace('listen:', 'lisen:'));
    const { code, out, err } = await mayfly('check-config', file);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.split('\n')).toEqual([
      `${file}:4: lisen: is not a known setting. Did you mean listen?`,
      `${file}:10: trust[0].kind: Expected 'oidc' | 'spiffe'`,
      `${file}:16: trust[1].kind: Expected 'oidc' | 'spiffe'`,
    ]);
  });
});

describe('mayfly check-policy', () => {
  it('names what a sound directory holds', async () => {
    const { code, out } = await mayfly('check-policy', 'config/policies', '--config', 'config/development.yaml');
    expect(code).toBe(0);
    expect(out).toContain('config/policies: sound');
    expect(out).toContain('soc-revokes-and-reads');
  });

  it('notes what the configuration leaves open where they ask people', async () => {
    const { file } = await development();
    const sound = await mayfly('check-policy', '-c', file);
    const unheard = 'note: notify has no webhook with the type approval: people hear of no question unless they look';
    const notesIn = (out: string) => out.split('\n').filter((line) => line.startsWith('note: '));
    expect([sound.code, notesIn(sound.out)]).toEqual([0, [unheard]]);
    const yaml = await readFile(file, 'utf8');
    await writeFile(file, yaml.replace(/^ +groups: .*\n/m, '').replace('clients: [mayfly-cli]', 'clients: []'));
    const { code, out } = await mayfly('check-policy', '-c', file);
    expect([code, notesIn(out)]).toEqual([
      0,
      [
        expect.stringMatching(/^note: approvals\.clients names none/),
        expect.stringMatching(/^note: trust\[1\]\.groups /),
        unheard,
      ],
    ]);
    expect((await mayfly('check-policy', 'examples/policies/read-longer', '-c', file)).out).not.toContain('note: ');
  });

  it('holds them against the targets of the configuration', async () => {
    const { code, err } = await mayfly(
      'check-policy',
      'config/policies',
      '-c',
      'config/providers/github-actions/mayfly.yaml',
    );
    expect(code).toBe(1);
    expect(err).toMatch(/names a target that is not configured/);
  });

  it('holds them against its issuers, claims and labels, and notes what waits for the first label', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mayfly-policies-'));
    const check = (condition: string, config: string) =>
      writeFile(
        join(directory, 'a.cedar'),
        `@id("guard")\nforbid (principal, action in Action::"access", resource)\nwhen { ${condition} };`,
      ).then(() => mayfly('check-policy', directory, '-c', config));
    const github = 'config/providers/github-actions/mayfly.yaml';
    const misspelt = await check('principal.hasTag("refs")', github);
    expect([misspelt.code, misspelt.err]).toEqual([1, expect.stringMatching(/a\.cedar:3: the tag "refs" is nowhere/)]);
    const waiting = await check('resource.sensitivity.contains("secret")', github);
    expect([waiting.code, waiting.out]).toEqual([0, expect.stringMatching(/note: .*a\.cedar:3: .*never "secret"/)]);
    const wrong = await check('resource.sensitivity.contains("secret")', 'config/development.yaml');
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringMatching(/a\.cedar:3: .*there is restricted/)]);
  });

  it('looks at the policies on trial, too: a broker takes both, or neither', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mayfly-policies-'));
    const [file, trial] = [join(directory, 'mayfly.yaml'), join(directory, 'next.cedar')];
    const yaml = await readFile('config/development.yaml', 'utf8');
    const both = `directory: ${join(process.cwd(), 'config/policies')}, trial: { directory: ${directory}, enforce: audit }`;
    await writeFile(file, yaml.replace('directory: ./policies', both));
    await writeFile(trial, '@id("a") permit (principal, action == Action::"read", resource);');
    const sound = await mayfly('check-policy', '-c', file);
    expect([sound.code, sound.out]).toEqual([
      0,
      expect.stringMatching(/config\/policies: sound[^]*\n.*: sound; 1 per/),
    ]);
    await writeFile(trial, '@id("a") permit (principal, action == Action::"raed", resource);');
    expect(await mayfly('check-policy', '-c', file)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/next\.cedar:1: /),
    });
    expect((await mayfly('check-policy', 'config/policies', '-c', file)).code).toBe(0);
  });

  it('says file, line and reason, and fails', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'mayfly-policies-'));
    await writeFile(
      join(directory, 'a.cedar'),
      '@id("a")\npermit (principal, action, resource)\nwhen { principal.nme == "x" };\n',
    );
    const { code, err } = await mayfly('check-policy', directory, '-c', 'config/development.yaml');
    expect(code).toBe(1);
    expect(err).toMatch(/a\.cedar:3: /);
  });
});

describe('mayfly dev-token', () => {
  it('prints a token of the development issuer and nothing else', async () => {
    const { file, keys } = await development();
    const { code, out, err } = await mayfly(
      'dev-token',
      '-c',
      file,
      '--sub',
      'agent-7',
      '--team',
      'sre',
      '--ttl',
      '60',
      '--claim',
      'ref=main',
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const jwks = JSON.parse(await readFile(join(keys, 'jwks.json'), 'utf8')) as JSONWebKeySet;
    const { payload } = await jwtVerify(out, createLocalJWKSet(jwks), { currentDate: new Date(clock.now()) });
    expect(payload).toEqual({
      iss: 'https://lab.example',
      sub: 'agent-7',
      aud: 'http://127.0.0.1:8080',
      team: 'sre',
      ref: 'main',
      iat: clock.now() / 1000,
      exp: clock.now() / 1000 + 60,
    });
  });

  it.each([
    [[], []],
    [
      ['--group', 'sre-oncall', '--group', 'finance'],
      ['sre-oncall', 'finance'],
    ],
  ])('prints one of a person, with %j', async (argv, groups) => {
    const { file } = await development();
    const { out } = await mayfly('dev-token', '-c', file, '--person', 'dana', ...argv);
    expect(decodeJwt(out)).toEqual({
      iss: 'https://people.example',
      sub: 'dana',
      aud: 'mayfly-cli',
      groups,
      iat: clock.now() / 1000,
      exp: clock.now() / 1000 + 3600,
    });
  });

  it('keeps the private key to its owner, and out of the published keys', async () => {
    const { file, keys } = await development();
    await mayfly('dev-token', '-c', file, '--sub', 'a');
    expect((await stat(join(keys, 'private.jwk.json'))).mode & 0o777).toBe(0o600);
    const published = JSON.parse(await readFile(join(keys, 'jwks.json'), 'utf8')) as { keys: object[] };
    expect(Object.keys(published.keys[0]!).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  it('uses the same key the next time', async () => {
    const { file, keys } = await development();
    await mayfly('dev-token', '-c', file, '--sub', 'a');
    const first = await readFile(join(keys, 'jwks.json'), 'utf8');
    await mayfly('dev-token', '-c', file, '--sub', 'b');
    expect(await readFile(join(keys, 'jwks.json'), 'utf8')).toBe(first);
  });

  it('never replaces the keys of an issuer that is not its own', async () => {
    const { file, keys } = await development();
    await mayfly('dev-token', '-c', file, '--sub', 'a');
    const foreign = join(keys, '../foreign.json');
    await writeFile(foreign, '{"keys":[]}');
    await writeFile(file, (await readFile(file, 'utf8')).replace('dev-issuer/jwks.json', 'foreign.json'));
    const { code, out, err } = await mayfly('dev-token', '-c', file, '--sub', 'a');
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain('is not of a development issuer');
    expect(await readFile(foreign, 'utf8')).toBe('{"keys":[]}');
  });

  it.each([
    [['--ttl', '0'], '--ttl is a number of seconds'],
    [['--ttl', '1e9'], '--ttl is a number of seconds'],
    [['--claim', 'ref'], 'written name=value'],
    [['--trust', 'prod'], 'no trust entry "prod"'],
  ])('refuses %j', async (options, reason) => {
    const { file } = await development();
    const { code, out, err } = await mayfly('dev-token', '-c', file, '--sub', 'a', ...options);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(reason);
  });
});

describe('mayfly revocations', () => {
  it('asks for the number of a hold in a sentence', async () => {
    const { code, err } = await mayfly('revocations', 'lift', 'seven');
    expect({ code, err }).toEqual({
      code: 1,
      err: expect.stringContaining('the number that `mayfly revocations list`'),
    });
  });
});
